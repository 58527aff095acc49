"""What a person is told of a query that the engine cannot read.

The engine lists every character that might have come next, at the furthest place that it reached;
that a prefix is missing is one entry of that list, or none. So the text is looked at once more.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from typing import NamedTuple

from publisher.derive import plain
from publisher.engine.outline import TOKEN
from publisher.errors import MalformedQuery


class Place(NamedTuple):
    """Line and column, both from 1."""

    line: int
    column: int


def explain(error: SyntaxError, query: str, known: Collection[str]) -> MalformedQuery:
    """The engine's complaint in one short line; `known` are the prefixes that need no declaration.

    An undeclared prefix is named, unless something else is wrong before it.
    """
    what, line, column = plain(error)
    for prefix, place in undeclared(query, known):
        if not line or place <= (line, column):
            near = difflib.get_close_matches(prefix, known, n=1)
            better = f"did you mean {near[0]}:, or a " if near else "begin the query with "
            return MalformedQuery(
                f"the prefix {prefix}: is not declared",
                line=place.line,
                column=place.column,
                fix=f"{better}PREFIX {prefix}: <...>",
            )
        break
    for sentence, (meant, fix) in _MEANT.items():
        if sentence in str(error):
            return MalformedQuery(meant, line=line, column=column, fix=fix)
    return MalformedQuery(what, line=line, column=column)


# what the engine says of a query that it could read, but not understand
_MEANT = {
    "contains a variable that is unbound": (
        "SELECT has a variable that is neither grouped by nor bound in the query",
        "name it after GROUP BY, or put it into an aggregate: (SAMPLE(?x) AS ?y)",
    ),
    "contains an expression with a variable that is unbound": (
        "SELECT has an expression with a variable that is neither grouped by nor aggregated",
        "bind it first and group by that: BIND(... AS ?x) ... GROUP BY ?x",
    ),
    "overrides an existing variable using an expression": (
        "SELECT (... AS ?x) names a variable that the query binds already",
        "choose another name",
    ),
    "SELECT * is not authorized with GROUP BY": (
        "SELECT * cannot stand with GROUP BY",
        "name what is grouped by, and the aggregates",
    ),
    "IRI parsing failed": ("this is no IRI", 'an IRI has no blanks and none of <>"{}|^`\\'),
}


def undeclared(query: str, known: Collection[str]) -> Iterator[tuple[str, Place]]:
    """Prefixes of names that neither the query nor anybody else declared, in their order."""
    declared, declaring = set(known), False
    for match in TOKEN.finditer(query):
        text = match.group()
        if match.lastgroup == "name" and ":" in text and not text.startswith("_:"):
            prefix = text.partition(":")[0]
            if declaring:
                declared.add(prefix)
            elif prefix not in declared:
                yield prefix, _place(query, match.start())
        if match.lastgroup != "space":
            declaring = match.lastgroup == "name" and text.upper() == "PREFIX"


def _place(query: str, offset: int) -> Place:
    return Place(query.count("\n", 0, offset) + 1, offset - query.rfind("\n", 0, offset))
