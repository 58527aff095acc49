"""Recognises questions whose work is provably bounded: they need no process of their own.

One triple pattern, no repeated variable, no filter, path, function or sub-query; and either its
subject is given, or a small LIMIT is. On disk such a pattern is a prefix scan of one index that
stops early; in memory the shorter of two chains is walked (30 ms where predicate and object stand
in half a million triples each, and never together). Whatever this grammar does not recognise goes
to a worker, so it may be strict.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 2000
MOST_ROWS = 1000

# SPARQL's white space; `\s` has more. With FLAGS, letters and digits are those of ASCII.
S, S1 = r"[\x20\t\r\n]*+", r"[\x20\t\r\n]++"
FLAGS = re.VERBOSE | re.IGNORECASE | re.ASCII
IRI = r"<[^\x00-\x20<>\"{}|^`\\]*+>"
NAME = r"[A-Za-z][\w-]*+:(?:\w[\w-]*+(?:\.[\w-]++)*+)?+"
VARIABLE = r"[?$][A-Za-z_]\w*+"
_LITERAL = rf'"[^"\\\r\n]*+"(?:@[A-Za-z-]++|\^\^(?:{IRI}|{NAME}))?+|[0-9]++'
_RESOURCE = rf"{IRI}|{NAME}"
PROLOGUE = rf"{S}(?P<prologue>(?:PREFIX{S1}(?:[A-Za-z][\w-]*+)?+:{S}{IRI}{S})*+)"
_DESCRIPTION = re.compile(rf"{PROLOGUE}DESCRIBE{S1}(?P<subject>{_RESOURCE}){S}\Z", FLAGS)
_PATTERN = re.compile(
    rf"""{PROLOGUE}
    (?: (?P<ask>ASK)\b
      | SELECT{S1}(?P<distinct>DISTINCT{S1})?+(?P<variables>\*|(?:{VARIABLE}{S})++) )
    {S}(?:WHERE\b{S})?+\{{{S}
    (?P<subject>{VARIABLE}|{_RESOURCE}){S}
    (?P<predicate>{VARIABLE}|{_RESOURCE}|a\b){S}
    (?P<object>{VARIABLE}|{_RESOURCE}|{_LITERAL}){S}
    \.?+{S}\}}{S}
    (?:LIMIT{S1}(?P<limit>[0-9]{{1,6}}){S})?+\Z""",
    FLAGS,
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
    if ask and limit is not None:
        return None  # LIMIT 0 makes it false
    if not ask and subject[0] in "?$" and (limit is None or distinct or int(limit) > MOST_ROWS):
        return None
    # the engine, too, puts the variables of * into this order
    names = tuple(sorted(own)) if projected in ("*", None) else names_of(projected)
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


def names_of(projected: str) -> tuple[str, ...]:
    """The variables of a projection, without their marks."""
    return tuple(part.strip() for part in projected.replace("$", "?").split("?")[1:])
