"""The server: serving processes under granian, a front layer before Flask.

`front` what happens to each request; `door` RSGI → Request; `bridge` Flask in a bounded set of
threads; `connection` cutting a connection; `remembered` replies that are sent again as they are;
`run` starting, following releases and stopping; `leaving` how an old process goes.
"""
