"""The server: serving processes, and in each a front layer before Flask.

`supervisor` the parent of the serving processes; `run` the life of one; `connection` bytes →
`exchange`, a request and its reply; `front` what happens to each; `door` whom to believe about it;
`bridge` Flask in a bounded set of threads; `remembered` replies that are sent again as they are.

Why not one of the well-kept servers: the fastest that we found answered, around a function that
does nothing, 0.47 of the requests that nginx answers from a file; this one answers 0.95 with
remembered replies (benchmarks/RESULTS.md). And none has a call to cut an answer, to wait for a slow
reader, or to let one process take over from another. Grammar and event loop are not ours.
"""
