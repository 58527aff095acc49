"""Asks the store, and gets round what its parser cannot read.

The parser refuses a prefixed name with several dots in its local part (`source:doi-10.1016-j.x.y`),
which https://www.w3.org/TR/sparql11-query/#rPN_LOCAL allows, but reads it with its dots escaped.
"""

from __future__ import annotations

import re
from typing import Any

from pyoxigraph import QueryBoolean, QuerySolutions, QueryTriples, Store

from publisher.engine.outline import TOKEN

_PLACE = re.compile(r"error at (\d+):(\d+):")
_BARE = re.compile(r"(?<!\\)\.")


def ask(store: Store, query: str, **more: Any) -> QuerySolutions | QueryBoolean | QueryTriples:
    """The results of a query; `more` as for `Store.query`. Raises SyntaxError as that does."""
    try:
        return store.query(query, **more)
    except SyntaxError:
        other, inserted = escaped(query)
        if not inserted:
            raise
    try:
        return store.query(other, **more)
    except SyntaxError as error:
        raise _placed(error, other, inserted) from None


def escaped(query: str) -> tuple[str, list[int]]:
    r"""The query with the dots of such names escaped, and where in it a mark was inserted.

    >>> escaped("ASK { ex:a.b.c ex:d.e 'ex:f.g.h' }")
    ("ASK { ex:a\\.b\\.c ex:d.e 'ex:f.g.h' }", [10, 13])
    """
    parts, inserted, length = [], [], 0
    for match in TOKEN.finditer(query):
        text = match.group()
        if match.lastgroup == "name" and len(_BARE.findall(text.partition(":")[2])) > 1:
            prefix, _, local = text.partition(":")
            marked = _BARE.sub(r"\\.", local)
            start = length + len(prefix) + 1
            for more, found in enumerate(_BARE.finditer(local)):
                inserted.append(start + found.start() + more)
            text = f"{prefix}:{marked}"
        parts.append(text)
        length += len(text)
    return "".join(parts), inserted


def _placed(error: SyntaxError, query: str, inserted: list[int]) -> SyntaxError:
    """The complaint with the place that it has in the query as it was asked."""
    found = _PLACE.match(str(error.msg))
    if found is None:
        return error
    line, column = int(found[1]), int(found[2])
    begin = sum(len(each) + 1 for each in query.split("\n")[: line - 1])
    less = sum(begin <= place < begin + column - 1 for place in inserted)
    return SyntaxError(f"error at {line}:{column - less}:{str(error.msg)[found.end() :]}")
