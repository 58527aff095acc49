"""The whole graph as files, byte for byte the same for the same statements.

Written from the checked quads and never from a store, which would rewrite the literals. Every
writer is a generator of pieces, so that no file stands in memory.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import pyoxigraph as ox

from publisher import jsonld, rdfxml
from publisher.names import Prefixes, natural
from publisher.turtle.canonical import Terms

RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
Writer = Callable[["Statements"], Iterator[str]]


@dataclass(frozen=True)
class Statements:
    """Quads in the order of every file: by graph, subject, predicate, object; none twice."""

    quads: Sequence[ox.Quad]
    triples: Sequence[ox.Triple]
    prefixes: Prefixes
    context: Mapping[str, object]


def arrange(
    quads: Iterable[ox.Quad], prefixes: Prefixes, context: Mapping[str, object]
) -> Statements:
    """Sort the quads, and their union without the graphs' names."""
    key = _Key(prefixes)
    by_graph = {(key.quad(q)): q for q in quads}
    ordered = [by_graph[k] for k in sorted(by_graph)]
    by_subject = {(key.triple(q.triple)): q.triple for q in ordered}
    return Statements(ordered, [by_subject[k] for k in sorted(by_subject)], prefixes, context)


class _Key:
    """Sort keys: names as people count them, type and label first within a subject."""

    def __init__(self, prefixes: Prefixes) -> None:
        self.prefixes = prefixes
        self.known: dict[str, object] = {}

    def quad(self, quad: ox.Quad) -> tuple[object, ...]:
        return (self._node(quad.graph_name), *self.triple(quad.triple))

    def triple(self, triple: ox.Triple) -> tuple[object, ...]:
        predicate = triple.predicate.value
        return (
            self._node(triple.subject),
            predicate != RDF_TYPE,
            self.prefixes.show(predicate),
            self._node(triple.object),
        )

    def _node(self, node: object) -> object:
        if isinstance(node, ox.Literal):
            return (2, str(node))
        text = str(getattr(node, "value", ""))  # the default graph has no name
        found = self.known.get(text)
        if found is None:
            place = 0 if isinstance(node, ox.NamedNode) else 1
            found = self.known[text] = (place, _flat(self.prefixes.show(text)))
        return found


def _flat(text: str) -> str:
    """The natural order as one text, which compares faster than a tuple: numbers at full width."""
    return (
        "".join(
            part if kind != 1 else f"{number:020d}" for kind, number, part in natural(text)[:-1]
        )
        + "\0"
        + text
    )


# --- one writer per format ------------------------------------------------------------------------


def ntriples(statements: Statements) -> Iterator[str]:
    for triple in statements.triples:
        yield f"{triple.subject} {triple.predicate} {triple.object} .\n"


def nquads(statements: Statements) -> Iterator[str]:
    for quad in statements.quads:
        yield f"{quad.subject} {quad.predicate} {quad.object} {quad.graph_name} .\n"


def turtle(statements: Statements) -> Iterator[str]:
    yield from _heads(statements.prefixes)
    yield from _blocks(statements.triples, Terms(statements.prefixes), "")


def trig(statements: Statements) -> Iterator[str]:
    yield from _heads(statements.prefixes)
    terms = Terms(statements.prefixes)
    for graph, quads in groupby(statements.quads, key=lambda quad: quad.graph_name):
        yield f"\n{terms.node(graph)} {{\n"
        yield from _blocks((quad.triple for quad in quads), terms, "    ")
        yield "}\n"


def rdf_xml(statements: Statements) -> Iterator[str]:
    yield from rdfxml.write(statements.triples, dict(statements.prefixes.pairs))


def json_ld(statements: Statements) -> Iterator[str]:
    context = jsonld.read_context(dict(statements.context))
    yield jsonld.dataset(statements.quads, context).decode()


def document(statements: Statements, suffix: str) -> Iterator[str]:
    """A part of the graph as a document of its own, for those who load it as one graph.

    JSON-LD is written without the graph's name, as inside a named graph a reader of one graph
    finds nothing, and shapes that nobody finds let everything pass.
    """
    if suffix == "jsonld":
        context = jsonld.read_context(dict(statements.context))
        yield jsonld.document(statements.triples, context).decode()
    else:
        yield from WRITERS[suffix](statements)


def short_turtle(triples: Iterable[ox.Triple], prefixes: Prefixes) -> str:
    """A few triples to read: only the prefixes that they use."""
    quads = (ox.Quad(t.subject, t.predicate, t.object) for t in triples)
    terms = Terms(prefixes)
    body = "".join(_blocks(arrange(quads, prefixes, {}).triples, terms, ""))
    used = tuple(pair for pair in prefixes.pairs if pair[0] in terms.used)
    return "".join(_heads(Prefixes(used))) + body


def _heads(prefixes: Prefixes) -> Iterator[str]:
    for prefix, namespace in sorted(prefixes.pairs):
        yield f"@prefix {prefix}: <{namespace}> .\n"


def _blocks(triples: Iterable[ox.Triple], terms: Terms, indent: str) -> Iterator[str]:
    for subject, run in groupby(triples, key=lambda triple: triple.subject):
        yield f"\n{indent}{terms.node(subject)}\n"
        for triple in run:
            yield f"{indent}    {terms.predicate(triple.predicate)} {terms.node(triple.object)} ;\n"
        yield f"{indent}.\n"


WRITERS: dict[str, Writer] = {
    "ttl": turtle,
    "nt": ntriples,
    "nq": nquads,
    "trig": trig,
    "jsonld": json_ld,
    "rdf": rdf_xml,
}


# --- files ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """A finished file: what the manifest says of it."""

    sha256: str
    bytes: int


class _Counting(io.RawIOBase):
    """Passes bytes on and keeps their sum."""

    def __init__(self, below: BinaryIO) -> None:
        self.below = below
        self.sum = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self.sum.update(piece)
        self.size += len(piece)
        return self.below.write(piece)

    @property
    def written(self) -> Written:
        return Written(self.sum.hexdigest(), self.size)


def save(path: Path, pieces: Iterable[str | bytes]) -> Written:
    """Write the pieces to a file that did not exist."""
    with path.open("xb") as below:
        out = _Counting(below)
        for chunk in _chunks(pieces):
            out.write(chunk)
        return out.written


def compress(source: Path, target: Path) -> Written:
    """A gzip file without name and time of its making, so that it is the same every time."""
    with target.open("xb") as below, source.open("rb") as text:
        out = _Counting(below)
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=out, mtime=0) as packed:
            while chunk := text.read(1 << 20):
                packed.write(chunk)
        return out.written


def _chunks(pieces: Iterable[str | bytes], size: int = 1 << 16) -> Iterator[bytes]:
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        held.append(piece.encode() if isinstance(piece, str) else piece)
        length += len(held[-1])
        if length >= size:
            yield b"".join(held)
            held, length = [], 0
    yield b"".join(held)


def plain_context(prefixes: Prefixes) -> dict[str, object]:
    """A JSON-LD context of prefixes only, for a graph that has none of its own."""
    return json.loads(json.dumps({"@context": dict(sorted(prefixes.pairs))}))  # type: ignore[no-any-return]
