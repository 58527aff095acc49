"""Values: the one spelling that survives an engine, and texts without stray white space."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from decimal import Decimal

import pyoxigraph as ox

from publisher.check.finding import Finding
from publisher.corpus import Corpus
from publisher.turtle.literals import canonical, survives

_STRING = "http://www.w3.org/2001/XMLSchema#string"


def canonical_literals(corpus: Corpus) -> Iterator[Finding]:
    """`04`, `4.50`, `P12M`: values with a second spelling, and texts that are no value at all."""
    known: dict[tuple[str, str], tuple[str, str] | None] = {}
    show = corpus.graph.prefixes.show
    for file, fact in corpus.located():
        value = fact.triple.object
        if not isinstance(value, ox.Literal) or value.datatype.value == _STRING:
            continue
        key = (value.value, value.datatype.value)
        if key not in known:
            known[key] = None if survives(*key) else _complaint(*key, show(value.datatype.value))
        complaint = known[key]
        if complaint is None:
            continue
        subject, predicate = show(_iri(fact.triple.subject)), show(fact.triple.predicate.value)
        message, fix = f'{predicate} is "{value.value}", which {complaint[0]}', complaint[1]
        yield Finding(
            "violation", "canonical-literals", file.path, fact.line, subject, message, fix
        )


def _complaint(text: str, datatype: str, shown: str) -> tuple[str, str]:
    better, kind = canonical(text, datatype), datatype.rpartition("#")[2]
    if better is None:
        return f"is no {shown}", f"expected {_EXPECTED.get(kind, 'another')}"
    if kind in ("double", "float"):
        plain = format(Decimal(better), "f")
        return f"is {shown}, which engines spell each in its way", f"write the decimal {plain}"
    if better == text:
        return f"is {shown}, which engines turn into xsd:integer", f"write {better}"
    return "has a shorter spelling", f"write {better}"


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
