"""Writes RDF/XML that is always well-formed, or says what it cannot carry.

pyoxigraph's own writer gives ill-formed XML for control characters and for predicates that have no
XML name at their end (`http://example.org/9`), so a public server cannot use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from publisher.errors import NotAcceptable

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"
LANG_STRING = RDF + "langString"

_START = r"A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C-\u200D"
_START += r"\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
_LOCAL = re.compile(rf"[{_START}][-.0-9\u00B7\u0300-\u036F\u203F-\u2040{_START}]*\Z")
# what XML 1.0 has no way to write, not even as a character reference
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;"}
    | {"\t": "&#9;"}
)
_NO_WORDS = frozenset({"Description", "RDF", "ID", "about", "parseType", "resource", "nodeID"})


def write(triples: Iterable[Triple], prefixes: dict[str, str]) -> Iterator[str]:
    """The document in pieces, one per run of triples with the same subject.

    Raises NotAcceptable when a triple cannot be said in RDF/XML.
    """
    names = {namespace: prefix for prefix, namespace in prefixes.items() if prefix}
    names[RDF] = "rdf"
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF'
    for namespace, prefix in sorted(names.items(), key=lambda pair: pair[1]):
        yield f'\n  xmlns:{prefix}="{_text(namespace)}"'
    yield ">\n"
    for subject, run in groupby(triples, key=lambda triple: triple.subject):
        yield f"<rdf:Description {_subject(subject)}>\n"
        for triple in run:
            yield _property(triple, names)
        yield "</rdf:Description>\n"
    yield "</rdf:RDF>\n"


def _property(triple: Triple, names: dict[str, str]) -> str:
    opening, closing = _element(triple.predicate.value, names)
    value = triple.object
    if isinstance(value, NamedNode):
        return f'  <{opening} rdf:resource="{_text(value.value)}"/>\n'
    if isinstance(value, BlankNode):
        return f'  <{opening} rdf:nodeID="{_node(value)}"/>\n'
    if not isinstance(value, Literal) or value.direction is not None:
        raise _unspeakable("a triple term or a text with a direction", str(triple.predicate.value))
    return f"  <{opening}{_facets(value)}>{_text(value.value)}</{closing}>\n"


def _facets(value: Literal) -> str:
    if value.language:
        return f' xml:lang="{value.language}"'
    datatype = value.datatype.value
    return "" if datatype == XSD_STRING else f' rdf:datatype="{_text(datatype)}"'


def _element(predicate: str, names: dict[str, str]) -> tuple[str, str]:
    """The opening (with its namespace, where no prefix has it) and closing name of a property."""
    place = _split(predicate)
    namespace, local = predicate[:place], predicate[place:]
    if not local or (namespace == RDF and local in _NO_WORDS):
        raise _unspeakable("a property that XML has no name for", predicate)
    if namespace in names:
        return (name := f"{names[namespace]}:{local}"), name
    return f'{local} xmlns="{_text(namespace)}"', local


def _split(predicate: str) -> int:
    """Where the longest XML name at the end of an IRI begins."""
    tail = len(predicate)
    best = tail
    while tail and predicate[tail - 1] not in ":/#?&=%@,;!$'()*+~[]":
        tail -= 1
        if _LOCAL.match(predicate, tail):
            best = tail
    return best


def _subject(subject: NamedNode | BlankNode | Triple) -> str:
    if isinstance(subject, NamedNode):
        return f'rdf:about="{_text(subject.value)}"'
    if isinstance(subject, BlankNode):
        return f'rdf:nodeID="{_node(subject)}"'
    raise _unspeakable("a triple term", str(subject))


def _node(node: BlankNode) -> str:
    """Blank node names may begin with a digit, XML names may not."""
    return "b" + re.sub(r"[^-.\w]", "_", node.value)


def _text(value: str) -> str:
    if _FORBIDDEN.search(value):
        raise _unspeakable("a control character", value[:80])
    return value.translate(_ESCAPES)


def _unspeakable(what: str, where: str) -> NotAcceptable:
    shown = where.encode("unicode_escape").decode("ascii")
    return NotAcceptable(
        f"the answer holds {what}, which RDF/XML cannot carry",
        offered=("text/turtle", "application/n-triples", "application/ld+json"),
        where=shown,
        fix="ask for Turtle, N-Triples or JSON-LD",
    )
