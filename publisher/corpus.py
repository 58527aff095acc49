"""Finds and reads `ontology/ data/ shapes/` into one frozen value; judges nothing.

A file that cannot be read is kept beside the others with its error, so that `check` can tell about
all of them at once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox

from publisher import derive, graph, mappings, turtle
from publisher.derive import Derived
from publisher.errors import InputError, TurtleSyntax, UsageError
from publisher.graph import Graph
from publisher.mappings import MappingSet
from publisher.turtle import Located
from publisher.turtle.reader import Parsed, triples

FOLDERS = ("ontology", "data", "shapes")
EXAMPLES = "shapes/examples/"

Progress = Callable[[str, int, int], None]


def silent(what: str, done: int, total: int) -> None:
    """A progress report that nobody sees."""


@dataclass(frozen=True)
class File:
    """One file of the graph: what it says, triple by triple, and the graph it says it in."""

    path: str
    graph: ox.NamedNode
    text: str
    facts: tuple[Located, ...]
    parsed: Parsed | None = None
    table: MappingSet | None = None

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def stem(self) -> str:
        return graph.stem(self.path)

    @property
    def room(self) -> str:
        """ontology, data or shapes."""
        return self.path.partition("/")[0]


@dataclass(frozen=True)
class Corpus:
    """Everything the curators wrote."""

    root: Path
    graph: Graph
    files: tuple[File, ...]
    broken: tuple[InputError, ...]
    stray: tuple[str, ...]
    rules: tuple[tuple[str, str], ...]
    editions: Mapping[str, tuple[tuple[str, str], ...]]
    pages: tuple[tuple[str, str], ...]
    checks: tuple[tuple[str, str], ...]
    digest: str

    def quads(self) -> Iterator[ox.Quad]:
        """Every statement in its named graph, file by file."""
        for file in self.files:
            for fact in file.facts:
                t = fact.triple
                yield ox.Quad(t.subject, t.predicate, t.object, file.graph)

    def located(self) -> Iterator[tuple[File, Located]]:
        for file in self.files:
            for fact in file.facts:
                yield file, fact

    @cached_property
    def derived(self) -> tuple[Derived, ...]:
        """What the rules make of it; raises QueryFault when one cannot be used."""
        return self._whole[1]

    @property
    def store(self) -> ox.Store:
        """Everything, with what is derived, in a store; raises QueryFault as `derived` does."""
        return self._whole[0]

    @cached_property
    def _whole(self) -> tuple[ox.Store, tuple[Derived, ...]]:
        store = derive.store_of(self.quads())
        name = ox.NamedNode(self.graph.derived_graph)
        return store, tuple(derive.apply(store, self.rules, graph=name))

    @cached_property
    def described(self) -> Mapping[str, tuple[File, int]]:
        """Where each IRI is described first: the file and line of its first fact.

        A mapping table speaks about entities and describes none.
        """
        found: dict[str, tuple[File, int]] = {}
        for file, fact in self.located():
            subject = fact.triple.subject
            if file.table is not None or not isinstance(subject, ox.NamedNode):
                continue
            if subject.value not in found:
                found[subject.value] = (file, fact.line)
        return found

    @cached_property
    def types(self) -> Mapping[str, frozenset[str]]:
        """The classes of each IRI as written, superclasses not added."""
        found: dict[str, set[str]] = {}
        for _, fact in self.located():
            t = fact.triple
            if t.predicate == RDF_TYPE and isinstance(t.subject, ox.NamedNode):
                found.setdefault(t.subject.value, set()).add(t.object.value)  # type: ignore[union-attr]
        return {iri: frozenset(classes) for iri, classes in found.items()}

    @cached_property
    def superclasses(self) -> Mapping[str, frozenset[str]]:
        """Each class with everything above it, itself included."""
        above: dict[str, set[str]] = {}
        for _, fact in self.located():
            t = fact.triple
            if t.predicate == RDFS_SUBCLASS and isinstance(t.object, ox.NamedNode):
                above.setdefault(t.subject.value, set()).add(t.object.value)  # type: ignore[union-attr]
        return {name: frozenset(_climb(name, above)) for name in above}

    def is_a(self, iri: str, wanted: str) -> bool:
        """Whether one of the classes of `iri` is `wanted` or stands below it."""
        own = self.types.get(iri, frozenset())
        return any(wanted == c or wanted in self.superclasses.get(c, ()) for c in own)

    @cached_property
    def version(self) -> str:
        """The release's name: what the vocabulary's header says, so that no clock is read."""
        info = ox.NamedNode("http://www.w3.org/2002/07/owl#versionInfo")
        for _, fact in self.located():
            t = fact.triple
            if t.predicate == info and t.subject == ox.NamedNode(self.graph.vocabulary):
                return str(t.object.value)  # type: ignore[union-attr]
        raise UsageError(
            "the vocabulary's header has no owl:versionInfo, which names the release",
            where=f"<{self.graph.vocabulary}>",
            fix='add owl:versionInfo "2026-11-30" to ontology/header.ttl',
        )


RDF_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
RDFS_SUBCLASS = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#subClassOf")


def _climb(name: str, above: Mapping[str, set[str]]) -> set[str]:
    seen, todo = {name}, [name]
    while todo:
        for upper in above.get(todo.pop(), ()):
            if upper not in seen:
                seen.add(upper)
                todo.append(upper)
    return seen


def read(root: Path, *, progress: Progress = silent) -> Corpus:
    """Read the graph under `root`.

    Raises GraphSettings when the graph's own settings are wrong: nothing can be read without them.
    """
    about = graph.read(root)
    paths = find(root)
    files, broken = [], []
    wanted = [p for p in paths if p.endswith((".ttl", ".sssom.tsv")) and EXAMPLES not in p]
    for done, path in enumerate(wanted, 1):
        try:
            files.append(_file(root, path, about))
        except InputError as error:
            broken.append(error)
        progress("reading", done, len(wanted))
    return Corpus(
        root=root,
        graph=about,
        files=tuple(files),
        broken=tuple(broken),
        stray=tuple(p for p in paths if not _expected(p)),
        rules=_queries(root, paths, "ontology/rules"),
        editions=_editions(root, paths),
        pages=_queries(root, paths, "ontology/pages"),
        checks=_queries(root, paths, "ontology/checks"),
        digest=digest(root),
    )


def find(root: Path) -> list[str]:
    """The files of the graph as paths relative to `root`, sorted; hidden ones are left alone."""
    found = []
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            shown = path.relative_to(root).as_posix()
            if path.is_file() and not any(part.startswith(".") for part in shown.split("/")):
                found.append(shown)
    return sorted(found)


def digest(root: Path) -> str:
    """One sum over all files of the graph, their names included."""
    total = hashlib.sha256()
    for path in find(root):
        content = hashlib.sha256((root / path).read_bytes()).hexdigest()
        total.update(f"{content}  {path}\n".encode())
    return total.hexdigest()


_EXPECTED = re.compile(
    r"(ontology/.*\.(ttl|rq|jsonld|toml|tsv)|data/.*\.ttl|data/mappings/[^/]*\.sssom\.tsv"
    r"|shapes/.*\.ttl|.*\.md)"
)


def _expected(path: str) -> bool:
    return _EXPECTED.fullmatch(path) is not None


def _file(root: Path, path: str, about: Graph) -> File:
    try:
        text = (root / path).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise TurtleSyntax(
            f"is not UTF-8 (byte {error.start})", file=path, fix="save it as UTF-8"
        ) from error
    name = ox.NamedNode(about.graph_of(path))
    if path.endswith(".sssom.tsv"):
        table = mappings.parse(text, file=path, name=graph.stem(path))
        namespace = about.prefixes.namespaces.get("mapping", about.base + "mapping/")
        facts = mappings.quads(table, namespace=namespace, prefixes=about.prefixes)
        return File(path, name, text, tuple(facts), table=table)
    parsed = turtle.parse(text, file=path, known=about.prefixes.namespaces)
    scope = re.sub(r"[^A-Za-z0-9]+", "-", path.removesuffix(".ttl"))
    return File(path, name, text, tuple(triples(parsed.blocks, scope=scope)), parsed=parsed)


def _queries(root: Path, paths: list[str], folder: str) -> tuple[tuple[str, str], ...]:
    chosen = [p for p in paths if p.startswith(folder + "/") and p.endswith(".rq")]
    return tuple((p, (root / p).read_text(encoding="utf-8")) for p in chosen)


def _editions(root: Path, paths: list[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    parts = (re.fullmatch(r"ontology/editions/([^/]+)/[^/]+\.rq", p) for p in paths)
    names = sorted({match[1] for match in parts if match})
    return {name: _queries(root, paths, f"ontology/editions/{name}") for name in names}
