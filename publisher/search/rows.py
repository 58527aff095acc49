"""Rows of a query as compact text, and back; terms keep their value, datatype and language."""

import json
from functools import lru_cache

from pyoxigraph import Literal, NamedNode

from publisher.engine.question import Row

_datatype = lru_cache(maxsize=64)(NamedNode)
_STRING = "http://www.w3.org/2001/XMLSchema#string"


def write_row(row: Row) -> str:
    """A row as JSON; what is neither an IRI nor a literal is left out.

    >>> write_row({"a": NamedNode("http://example.org/a"), "b": Literal("x", language="en")})
    '{"a":["http://example.org/a"],"b":["x","@en"]}'
    """
    content: dict[str, list[str]] = {}
    for name, term in row.items():
        if isinstance(term, NamedNode):
            content[name] = [term.value]
        elif isinstance(term, Literal):
            mark = f"@{term.language}" if term.language else term.datatype.value
            content[name] = [term.value, "" if mark == _STRING else mark]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def read_row(text: str) -> Row:
    """The row that `write_row` wrote.

    >>> read_row('{"b":["x","@en"]}')["b"] == Literal("x", language="en")
    True
    """
    row: Row = {}
    for name, parts in json.loads(text).items():
        if len(parts) == 1:
            row[name] = NamedNode(parts[0])
        elif parts[1].startswith("@"):
            row[name] = Literal(parts[0], language=parts[1][1:])
        elif parts[1]:
            row[name] = Literal(parts[0], datatype=_datatype(parts[1]))
        else:
            row[name] = Literal(parts[0])
    return row
