"""Recognises joins of a few triple patterns, whose work can be counted before it is done.

Patterns with a predicate that is given, comparisons of a variable with a number or its language
with a tag, an order, a limit: the questions that most people ask most of the time. Whatever this
grammar does not recognise goes to the engine, so it may be strict; whatever it does recognise is
SPARQL 1.1 (https://www.w3.org/TR/sparql11-query/#sparqlGrammar).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from publisher.engine.measures import EXACT
from publisher.engine.simple import (
    FLAGS,
    IRI,
    LONGEST,
    NAME,
    PROLOGUE,
    S1,
    VARIABLE,
    S,
    names_of,
)

MOST_PATTERNS = 8
MOST_TESTS = 16

_NUMBER = r"[+-]?[0-9]++(?:\.[0-9]++)?+(?![eE.])"
_DAY = rf'"[0-9-]{{4,10}}"\^\^(?:{IRI}|{NAME})'
_COMPARISON = rf"{VARIABLE}{S}(?:<=|>=|!=|<|>|=){S}(?:{_NUMBER}|{_DAY})"
_TAG = r'"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*+"'
_TONGUE = rf"LANG{S}\({S}{VARIABLE}{S}\){S}={S}{_TAG}"
_TONGUES = rf"LANGMATCHES{S}\({S}LANG{S}\({S}{VARIABLE}{S}\){S},{S}{_TAG}{S}\)"
_TEST = rf"(?:{_COMPARISON}|{_TONGUE}|{_TONGUES})"
_FILTER = rf"FILTER{S}\({S}{_TEST}{S}(?:&&{S}{_TEST}{S})*+\)"
_TEXT = r'"[^"\\\r\n]*+"(?:@[A-Za-z]++(?:-[A-Za-z0-9]++)*+)?+(?!\^\^)'
_KEY = rf"(?:(?:ASC|DESC){S}\({S}{VARIABLE}{S}\)|{VARIABLE})"
_QUERY = re.compile(
    rf"""{PROLOGUE}
    SELECT{S1}(?P<distinct>DISTINCT{S1})?+(?P<variables>\*|(?:{VARIABLE}{S})++)
    {S}(?:WHERE\b{S})?+\{{(?P<body>[^{{}}]*+)\}}{S}
    (?:ORDER{S1}BY{S}(?P<order>{_KEY}(?:{S}{_KEY})*+){S})?+
    (?:LIMIT{S1}(?P<limit>[0-9]{{1,9}})\b{S})?+
    (?:OFFSET{S1}(?P<offset>[0-9]{{1,9}})\b{S})?+\Z""",
    FLAGS,
)
_PART = re.compile(
    rf"""{S}(?:(?P<filter>{_FILTER})|(?P<iri>{IRI})|(?P<name>{NAME})|(?P<variable>{VARIABLE})
    |(?P<text>{_TEXT})|(?P<mark>[.;,])|(?P<a>a)(?![\w:-]))""",
    FLAGS,
)
_TESTED = re.compile(
    rf"(?P<variable>{VARIABLE}){S}(?:(?P<sign><=|>=|!=|<|>|=){S}(?:(?P<number>{_NUMBER})"
    rf'|"(?P<day>[^"]++)"\^\^(?P<datatype>{IRI}|{NAME}))'
    rf"|\){S}(?P<among>[=),]++){S}(?P<tag>{_TAG}))",
)
_KEYS = re.compile(rf"(?:(ASC|DESC){S}\({S})?+({VARIABLE})", FLAGS)

_PLACES = (("iri", "name", "variable"), ("iri", "name", "a"), ("iri", "name", "variable", "text"))

Pattern = tuple[str, str, str]


@dataclass(frozen=True)
class Test:
    """A comparison: with a number or a day (`sign` as in SPARQL), or with a language.

    `value` is the number, with an empty `datatype`, or the text of a day. Where there is a `tag`,
    the sign is `=` (LANG) or `matches` (langMatches).
    """

    variable: str
    sign: str
    value: str = ""
    datatype: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Join:
    """A question, as written; variables without their mark. `limit` is -1 for none."""

    prologue: str
    patterns: tuple[Pattern, ...]
    tests: tuple[Test, ...]
    variables: tuple[str, ...]
    distinct: bool = False
    order: tuple[tuple[str, bool], ...] = ()  # and whether it descends
    limit: int = -1
    offset: int = 0


class _Unknown(Exception):
    """This is not in our grammar."""


@lru_cache(maxsize=64)
def read(query: str) -> Join | None:
    """The question, when it is nothing but a join.

    >>> read("SELECT * { ?a <x:p> ?b . ?b <x:q> ?n FILTER(?n > 3) } ORDER BY ?n").variables
    ('a', 'b', 'n')
    >>> read("SELECT * { ?a ?p ?b }") is None
    True
    """
    if len(query) > LONGEST:
        return None
    found = _QUERY.match(query)
    if found is None:
        return None
    try:
        patterns, tests = _body(found["body"])
    except _Unknown:
        return None
    known = {term[1:] for pattern in patterns for term in pattern if is_variable(term)}
    # the engine, too, puts the variables of * into this order
    names = tuple(sorted(known)) if found["variables"] == "*" else names_of(found["variables"])
    keys: dict[str, bool] = {}
    for way, variable in _KEYS.findall(found["order"] or ""):
        keys.setdefault(variable[1:], way.upper() == "DESC")  # once more, it decides nothing
    order = tuple(keys.items())
    distinct = bool(found["distinct"])
    used = {*names, *(test.variable for test in tests), *(name for name, _ in order)}
    if not names or len(set(names)) < len(names) or not used <= known:
        return None
    if len(patterns) > MOST_PATTERNS or len(tests) > MOST_TESTS:
        return None
    if distinct and not keys.keys() <= set(names):
        return None
    if len(patterns) == 1 and not tests and not order:
        return None  # its first page is an index's (`simple`), and so must be the further ones
    return Join(
        found["prologue"],
        tuple(dict.fromkeys(patterns)),
        tests,
        names,
        distinct,
        order,
        -1 if found["limit"] is None else int(found["limit"]),
        int(found["offset"] or 0),
    )


def is_variable(term: str) -> bool:
    """Whether a term of a pattern is a variable."""
    return term[0] in "?$"


def _body(text: str) -> tuple[list[Pattern], tuple[Test, ...]]:
    """The patterns and tests of a group."""
    patterns: list[Pattern] = []
    tests: list[Test] = []
    said: list[str] = []  # of the pattern that is being read: subject, verb
    wanted = True  # a term must follow
    at, end = 0, len(text.rstrip("\x20\t\r\n"))
    while at < end:
        found = _PART.match(text, at)
        if found is None or found.lastgroup is None:
            raise _Unknown
        at, kind, part = found.end(), found.lastgroup, found[found.lastgroup]
        if kind == "mark":
            if wanted:
                raise _Unknown  # where SPARQL allows it (`; .`), which is rare
            said, wanted = {".": [], ";": said[:1], ",": said}[part], True
        elif kind == "filter":
            if wanted and said:
                raise _Unknown
            tests += _tests(part)
            said, wanted = [], True
        elif not wanted:
            raise _Unknown
        else:
            _check(kind, part, len(said))
            said.append("$" + part[1:] if kind == "variable" else part)
            if len(said) == 3:
                if is_variable(said[0]) and said[0] == said[2]:
                    raise _Unknown
                patterns.append((said[0], said[1], said[2]))
                said, wanted = said[:2], False
    if not patterns or (wanted and said):
        raise _Unknown
    return patterns, tuple(tests)


def _check(kind: str, part: str, place: int) -> None:
    """Only what may stand in this place; `a` is a verb alone."""
    if kind not in _PLACES[place] or part == "A":
        raise _Unknown


def _tests(text: str) -> list[Test]:
    tests = [
        Test(
            found["variable"][1:],
            found["sign"] or ("=" if "=" in found["among"] else "matches"),
            found["number"] or found["day"] or "",
            found["datatype"] or "",
            (found["tag"] or "")[1:-1],
        )
        for found in _TESTED.finditer(text)
    ]
    if any(not test.datatype and sum(map(str.isdigit, test.value)) > EXACT for test in tests):
        raise _Unknown
    return tests
