"""Results of the embedded store → bytes in a format, piece by piece, never ill-formed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import IO, Protocol, cast

from pyoxigraph import (
    Literal,
    NamedNode,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Triple,
    serialize,
)

from publisher import jsonld, rdfxml
from publisher.errors import NotAcceptable, PublisherError

RESULTS = {
    "json": QueryResultsFormat.JSON,
    "xml": QueryResultsFormat.XML,
    "csv": QueryResultsFormat.CSV,
    "tsv": QueryResultsFormat.TSV,
}
GRAPHS = {
    "turtle": RdfFormat.TURTLE,
    "ntriples": RdfFormat.N_TRIPLES,
    "nquads": RdfFormat.N_QUADS,
    "trig": RdfFormat.TRIG,
}
PREFIXED = frozenset({"turtle", "trig"})
# bytes that no XML document may hold: control characters, U+FFFE and U+FFFF
_NOT_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
_XML_TAIL = 2


class Oversized(Exception):
    """The answer is larger than what may be made while others wait."""


class Sink(Protocol):
    """Where an answer goes."""

    def write(self, data: bytes, /) -> int:
        """Take some bytes; may raise to end the query."""
        ...

    def flush(self) -> None:
        """Called by the serialiser at its end."""
        ...


@dataclass(frozen=True)
class Wording:
    """How a release wants its graphs written."""

    prefixes: dict[str, str] = field(default_factory=dict)
    context: jsonld.Context = field(default_factory=lambda: jsonld.read_context({}))

    def prefixes_in(self, query: str) -> dict[str, str]:
        """The prefixes that a query may use; each that the engine is told costs it a while."""
        if "\\" in query:  # an escape might spell one of them
            return self.prefixes
        return {name: iri for name, iri in self.prefixes.items() if f"{name}:" in query}


def write(
    results: QuerySolutions | QueryBoolean | QueryTriples, name: str, sink: Sink, wording: Wording
) -> None:
    """Write results in a format; raises NotAcceptable where the format cannot carry them."""
    if isinstance(results, QueryTriples):
        write_triples(results, name, sink, wording)
        return
    guard = _XmlGuard(sink) if name == "xml" else sink
    try:
        results.serialize(cast(IO[bytes], guard), RESULTS[name])
    except Exception:
        _raise_guarded(guard)
        raise


def whole(
    results: QuerySolutions | QueryBoolean | QueryTriples, name: str, wording: Wording, most: int
) -> bytes:
    """An answer in one piece; raises Oversized when it has more bytes than `most`."""
    sink = Collected(most)
    write(results, name, sink, wording)
    return bytes(sink.held)


def write_triples(triples: Iterable[Triple], name: str, sink: Sink, wording: Wording) -> None:
    """Write triples in a graph format."""
    if name == "jsonld":
        sink.write(jsonld.document(triples, wording.context))
    elif name == "rdfxml":
        for piece in rdfxml.write(triples, wording.prefixes):
            sink.write(piece.encode("utf-8", "surrogatepass"))
    else:
        prefixes = wording.prefixes if name in PREFIXED else None
        serialize(triples, cast(IO[bytes], sink), GRAPHS[name], prefixes=prefixes)


def used_prefixes(triples: Iterable[Triple], prefixes: dict[str, str]) -> dict[str, str]:
    """The prefixes that a small graph makes use of (a large one is not read twice for it)."""
    heads: set[str] = set()
    for triple in triples:
        heads.add(_namespace(triple.predicate.value))
        for term in (triple.subject, triple.object):
            if isinstance(term, NamedNode):
                heads.add(_namespace(term.value))
            elif isinstance(term, Literal) and not term.language:
                heads.add(_namespace(term.datatype.value))
    return {p: n for p, n in prefixes.items() if any(map(_starts(n), heads))}


@lru_cache(maxsize=8192)
def _namespace(iri: str) -> str:
    return iri[: max(iri.rfind(mark) for mark in "/#_:") + 1]


@lru_cache(maxsize=512)
def _starts(namespace: str) -> Callable[[str], bool]:
    return lambda head: head.startswith(namespace)


class _XmlGuard:
    """Passes XML on unless it holds what XML cannot."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.tail = b""
        self.fault: PublisherError | None = None

    def write(self, data: bytes) -> int:
        if _NOT_XML.search(self.tail + data):
            self.fault = NotAcceptable(
                "the answer holds control characters, which XML cannot carry",
                offered=("application/sparql-results+json", "text/tab-separated-values"),
                fix="ask for JSON or TSV",
            )
            raise self.fault
        self.tail = data[-_XML_TAIL:]
        return self.sink.write(data)

    def flush(self) -> None:
        self.sink.flush()


def _raise_guarded(guard: Sink) -> None:
    fault = getattr(guard, "fault", None)
    if isinstance(fault, PublisherError):
        raise fault


class Collected:
    """A sink in memory; of at most `most` bytes."""

    def __init__(self, most: int = sys.maxsize) -> None:
        self.held = bytearray()
        self.most = most

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        if len(self.held) + len(data) > self.most:
            raise Oversized
        self.held += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""
