"""Judges what strangers send by the shapes of a release, in processes that can be killed.

`reading` text → statements with lines; `judging` statements → verdict; `child` the process in which
both run; `bench` keeps such processes and ends those that take too much.
"""

from publisher.validation.bench import Bench, Judged, Submission

__all__ = ["Bench", "Judged", "Submission"]
