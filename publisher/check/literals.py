"""Values: the one spelling that survives an engine, and texts without stray white space."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pyoxigraph as ox

from publisher.check.finding import Finding
from publisher.corpus import Corpus
from publisher.turtle.literals import canonical

_STRING = "http://www.w3.org/2001/XMLSchema#string"


def canonical_literals(corpus: Corpus) -> Iterator[Finding]:
    """`04`, `4.50`, `P12M`: values with a second spelling, and texts that are no value at all."""
    known: dict[tuple[str, str], str | None] = {}
    show = corpus.graph.prefixes.show
    for file, fact in corpus.located():
        value = fact.triple.object
        if not isinstance(value, ox.Literal) or value.datatype.value == _STRING:
            continue
        key = (value.value, value.datatype.value)
        if key not in known:
            known[key] = canonical(*key)
        if known[key] == value.value:
            continue
        subject, predicate = show(_iri(fact.triple.subject)), show(fact.triple.predicate.value)
        if known[key] is None:
            message = f'{predicate} is "{value.value}", which is no {show(value.datatype.value)}'
            fix = f"expected {_EXPECTED.get(value.datatype.value.rpartition('#')[2], 'another')}"
        else:
            message = f'{predicate} is "{value.value}", which has a shorter spelling'
            fix = f"write {known[key]}"
        yield Finding(
            "violation", "canonical-literals", file.path, fact.line, subject, message, fix
        )


_EXPECTED = {
    "integer": "a whole number such as 11",
    "nonNegativeInteger": "a whole number, 0 or more",
    "positiveInteger": "a whole number, 1 or more",
    "decimal": "a number such as 4.5",
    "double": "a number such as 4.5E0",
    "boolean": "true or false",
    "date": "a day such as 2026-11-22",
    "dateTime": "a time such as 2026-11-22T09:30:00Z",
    "gYearMonth": "a month such as 2026-11",
    "gYear": "a year such as 2026",
    "duration": "a duration such as P1Y",
}


def _iri(node: object) -> str:
    return node.value if isinstance(node, ox.NamedNode) else str(node)


def tidy_texts(corpus: Corpus) -> Iterator[Finding]:
    """Empty texts, white space at an end, and letters that are not composed (NFC)."""
    for file, fact in corpus.located():
        value = fact.triple.object
        if not isinstance(value, ox.Literal):
            continue
        text = value.value
        if text and text[0] > " " and text[-1] > " " and (text.isascii() or _composed(text)):
            continue
        what, fix = _untidy(text)
        predicate = corpus.graph.prefixes.show(fact.triple.predicate.value)
        yield Finding(
            "warning",
            "tidy-texts",
            file.path,
            fact.line,
            corpus.graph.prefixes.show(_iri(fact.triple.subject)),
            f"{predicate} {what}",
            fix,
        )


def _composed(text: str) -> bool:
    return unicodedata.is_normalized("NFC", text)


def _untidy(text: str) -> tuple[str, str]:
    if not text.strip():
        return "is empty", "give it a text, or delete the line"
    if text != text.strip():
        return "has white space at an end", "delete it"
    return "has letters that are put together from two signs", "write it in Unicode's NFC form"
