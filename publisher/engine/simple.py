"""Recognises questions whose work is provably bounded: they need no process of their own.

One triple pattern, no repeated variable, no filter, path, function or sub-query; and either its
subject is given, or a small LIMIT is. Every such pattern is a prefix scan of one index that stops
early. Whatever this grammar does not recognise goes to a worker, so it may be strict.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 2000
MOST_ROWS = 1000

_IRI = r"<[^\x00-\x20<>\"{}|^`\\]*+>"
_NAME = r"[A-Za-z][\w-]*+:[\w-]*+(?:\.[\w-]++)*+"
_VARIABLE = r"[?$][A-Za-z_]\w*+"
_LITERAL = rf'"[^"\\\r\n]*+"(?:@[A-Za-z-]++|\^\^(?:{_IRI}|{_NAME}))?+|[0-9]++'
_RESOURCE = rf"{_IRI}|{_NAME}"
_PROLOGUE = rf"\s*+(?P<prologue>(?:PREFIX\s++(?:[A-Za-z][\w-]*+)?+:\s*+{_IRI}\s*+)*+)"
_DESCRIPTION = re.compile(rf"{_PROLOGUE}DESCRIBE\s++(?P<subject>{_RESOURCE})\s*+\Z", re.IGNORECASE)
_PATTERN = re.compile(
    rf"""{_PROLOGUE}
    (?: (?P<ask>ASK)\b
      | SELECT\s++(?P<distinct>DISTINCT\s++)?+(?P<variables>\*|(?:{_VARIABLE}\s*+)++) )
    \s*+(?:WHERE\b\s*+)?+\{{\s*+
    (?P<subject>{_VARIABLE}|{_RESOURCE})\s*+
    (?P<predicate>{_VARIABLE}|{_RESOURCE}|a\b)\s*+
    (?P<object>{_VARIABLE}|{_RESOURCE}|{_LITERAL})\s*+
    \.?+\s*+\}}\s*+
    (?:LIMIT\s++(?P<limit>[0-9]{{1,6}})\s*+)?+\Z""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Simple:
    """A bounded question, as written. `terms` are a pattern's three; `limit` is -1 for none."""

    form: str
    prologue: str = ""
    terms: tuple[str, str, str] = ("", "", "")
    variables: tuple[str, ...] = ()
    distinct: bool = False
    limit: int = -1


@lru_cache(maxsize=64)
def read(query: str) -> Simple | None:
    """The question, when it may be answered where it was received.

    >>> read("SELECT ?o { <http://example.org/a> ?p ?o }").variables
    ('o',)
    >>> read("SELECT ?s { ?s ?p ?o }") is None
    True
    """
    if len(query) > LONGEST:
        return None
    found = _PATTERN.match(query)
    if found is None:
        described = _DESCRIPTION.match(query)
        return Simple("DESCRIBE", *_description(described)) if described else None
    prologue, ask, distinct, projected, subject, predicate, value, limit = found.groups()
    own = [term[1:] for term in (subject, predicate, value) if term[0] in "?$"]
    if len(set(own)) < len(own):
        return None
    if not ask and subject[0] in "?$" and (limit is None or distinct or int(limit) > MOST_ROWS):
        return None
    # the engine, too, puts the variables of * into this order
    names = tuple(sorted(own)) if projected in ("*", None) else _names(projected)
    return Simple(
        "ASK" if ask else "SELECT",
        prologue,
        (subject, predicate, value),
        names,
        bool(distinct),
        -1 if limit is None else int(limit),
    )


def _description(found: re.Match[str]) -> tuple[str, tuple[str, str, str]]:
    return found["prologue"], (found["subject"], "?p", "?o")


def _names(projected: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in projected.replace("$", "?").split("?")[1:])
