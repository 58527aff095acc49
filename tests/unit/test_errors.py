"""The error tree: as drawn, and fit to travel."""

import inspect
import pickle
import re

from publisher import errors
from publisher.errors import PublisherError, TurtleSyntax

FAMILY = [
    c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, PublisherError)
]


def test_the_drawing_at_the_top_is_the_tree() -> None:
    """Every class stands in it, below its parent."""
    drawn: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│├└─ ]*)([A-Z]\w+)", line)
        if not match:
            continue
        depth = len(match[1])
        above = [pair for pair in above if pair[0] < depth]
        drawn[match[2]] = above[-1][1] if above else "Exception"
        above.append((depth, match[2]))
    assert drawn == {c.__name__: c.__base__.__name__ for c in FAMILY if c.__base__}


def test_an_error_reads_as_where_what_and_how_to_mend_it() -> None:
    """In this order, on one line."""
    error = TurtleSyntax("is not Turtle", file="a.ttl", line=3, column=7, fix="end it")
    assert str(error) == "a.ttl:3:7 is not Turtle — end it"


def test_errors_travel_between_processes() -> None:
    """A worker's error must arrive as what it was."""
    error = TurtleSyntax("what", file="a.ttl", line=3)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.line) == (TurtleSyntax, str(error), 3)
