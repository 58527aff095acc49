"""The server: serving processes, and in each a front layer before Flask.

`supervisor` the parent of the serving processes; `run` the life of one; `connection` bytes →
`exchange`, a request and its reply; `front` what happens to each; `door` whom to believe about it;
`bridge` Flask in a bounded set of threads; `remembered` replies that are sent again as they are.

Why not one of the well-kept servers: around a function that does nothing, the fastest of them that
embeds Python answered 0.47 of what nginx does here, this one 1.3 (benchmarks/RESULTS.md); none has
a call to cut an answer, to wait for a slow reader, or to let one process take over from another.
"""
