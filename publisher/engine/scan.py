"""A bounded question's answer straight from an index, as SPARQL results in JSON.

Half of a small query's time is the engine's: parsing, planning, evaluating. A single pattern needs
none of that. What this cannot do it leaves to the engine, which gives the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from json.encoder import encode_basestring as quoted
from operator import attrgetter

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Store, Triple

from publisher.engine.answers import Oversized
from publisher.engine.simple import Simple

XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"
RDF_TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
MOST_BYTES = 2**22
PART = 20  # rows between two looks at their size
PLACES = ("subject", "predicate", "object")
GETTERS = {place: attrgetter(place) for place in PLACES}
PREDICATE, OBJECT = GETTERS["predicate"], GETTERS["object"]
DEFAULT = DefaultGraph()
NOTHING = '{"head":{"vars":[%s]},"results":{"bindings":[%s]}}'
_PREFIX = re.compile(r"(\S*):\s*<([^>]*)>")

Term = NamedNode | BlankNode | Literal | Triple


class Unanswerable(Exception):
    """The engine must do it."""


def answer(question: Simple, store: Store, prefixes: Mapping[str, str]) -> bytes | None:
    """The answer over the default graph of a store; None where the engine must give it.

    Raises Oversized.
    """
    if question.form == "DESCRIBE" or len(set(question.variables)) < len(question.variables):
        return None
    try:
        known = declared(question.prologue, prefixes)
        s, p, o = [None if t[0] in "?$" else resource(t, known) for t in question.terms]
        quads: Iterable[Quad] = store.quads_for_pattern(s, p, o, DEFAULT)
        if question.form == "ASK":
            found = next(iter(quads), None) is not None
            return b'{"head":{},"boolean":%s}' % (b"true" if found else b"false")
        if question.limit >= 0 and not question.distinct:
            quads = islice(quads, question.limit)
        # what is said of a subject that is given is never much (Held.is_hub)
        rows = _rows(question, quads) if s is not None else _bounded(question, iter(quads))
    except Unanswerable:
        return None
    head = ",".join(map(quoted, question.variables))
    return (NOTHING % (head, ",".join(rows))).encode()


def subject(question: Simple, prefixes: Mapping[str, str]) -> str:
    """The IRI that a question is about; empty for a variable, and for what is none."""
    if question.terms[0][0] in "?$":
        return ""
    try:
        return resource(question.terms[0], declared(question.prologue, prefixes)).value
    except Unanswerable:
        return ""


def _rows(question: Simple, quads: Iterable[Quad]) -> Iterable[str]:
    """The bindings, each as JSON."""
    places = {term[1:]: place for term, place in zip(question.terms, PLACES, strict=True)}
    wanted = [(f"{quoted(n)}:", GETTERS[places[n]]) for n in question.variables if n in places]
    if [place for _, place in wanted] == [PREDICATE, OBJECT]:  # the common case, without a loop
        a, b = wanted[0][0] + '{"type":"uri","value":"', '"},' + wanted[1][0]
        rows: Iterable[str] = [f"{{{a}{q.predicate.value}{b}{json_of(q.object)}}}" for q in quads]
    elif len(wanted) == 2:
        (a, first), (b, second) = wanted
        rows = [f"{{{a}{json_of(first(q))},{b}{json_of(second(q))}}}" for q in quads]
    else:
        rows = [
            "{" + ",".join([name + json_of(get(q)) for name, get in wanted]) + "}" for q in quads
        ]
    if question.distinct:
        rows = list(dict.fromkeys(rows))
        return rows if question.limit < 0 else rows[: question.limit]
    return rows


def _bounded(question: Simple, quads: Iterator[Quad]) -> Iterable[str]:
    """The same; raises Oversized when they are."""
    found: list[str] = []
    size = 0
    while part := list(islice(quads, PART)):
        rows = _rows(question, part)
        size += sum(map(len, rows))
        if size > MOST_BYTES:
            raise Oversized
        found += rows
    return found


def json_of(term: Term) -> str:
    """A term of a result in JSON; raises Unanswerable for what the engine writes otherwise."""
    if type(term) is NamedNode:
        return f'{{"type":"uri","value":"{term.value}"}}'  # no IRI has what JSON must escape
    if isinstance(term, Literal):
        value = quoted(term.value)
        if (language := term.language) is not None:
            if term.direction is not None:
                raise Unanswerable
            return f'{{"type":"literal","value":{value},"xml:lang":{quoted(language)}}}'
        if (datatype := term.datatype.value) == XSD_STRING:
            return f'{{"type":"literal","value":{value}}}'
        return f'{{"type":"literal","value":{value},"datatype":{quoted(datatype)}}}'
    if isinstance(term, BlankNode):
        return f'{{"type":"bnode","value":{quoted(term.value)}}}'
    raise Unanswerable


def declared(prologue: str, known: Mapping[str, str]) -> Mapping[str, str]:
    """The release's prefixes and the query's own, which count for more."""
    if not prologue:
        return known
    try:
        own = {prefix: NamedNode(iri).value for prefix, iri in _PREFIX.findall(prologue)}
    except ValueError:
        raise Unanswerable from None  # relative ones have a base; others are a fault to tell
    return {**known, **own}


def resource(text: str, prefixes: Mapping[str, str]) -> NamedNode:
    """The resource of a pattern's term; raises Unanswerable for what is none."""
    if text == "a":
        return RDF_TYPE
    try:
        if text[0] == "<":
            return NamedNode(text[1:-1])  # a relative one is refused here
        name, colon, local = text.partition(":")
        if colon and text[0] != '"':
            return NamedNode(prefixes[name] + local)
    except (ValueError, KeyError):
        pass
    raise Unanswerable  # a literal, which the store might write another way; or a fault to tell
