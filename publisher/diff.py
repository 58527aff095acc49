"""What changed between two states of the graph: entities, and statements per entity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyoxigraph as ox

from publisher import corpus, graph, release
from publisher.errors import ReleaseError, UsageError
from publisher.names import natural

_DEPRECATED = "http://www.w3.org/2002/07/owl#deprecated"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_SUBCLASS = "http://www.w3.org/2000/01/rdf-schema#subClassOf"
_REPLACED = (
    "http://purl.org/dc/terms/isReplacedBy",
    "http://purl.obolibrary.org/obo/IAO_0100001",  # term replaced by
)
_LABELS = (
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://purl.org/dc/terms/title",
)


@dataclass(frozen=True)
class State:
    """One side: its name, and the statements (as N-Triples, subject left out) of each entity.

    `types` are the classes as written, `above` the direct superclasses of a class.
    """

    name: str
    entities: Mapping[str, frozenset[str]]
    labels: Mapping[str, str]
    retired: frozenset[str]
    types: Mapping[str, frozenset[str]] = field(default_factory=dict)
    above: Mapping[str, frozenset[str]] = field(default_factory=dict)
    replaced: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One entity: `kind` is new, changed, retired or gone; the statements are N-Triples."""

    kind: str
    iri: str
    label: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    replaced_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """All changes, in the natural order of the entities' names."""

    old: str
    new: str
    changes: tuple[Change, ...]

    @property
    def counts(self) -> dict[str, int]:
        kinds = ("new", "changed", "retired", "gone")
        found = {kind: sum(c.kind == kind for c in self.changes) for kind in kinds}
        added = sum(len(change.added) for change in self.changes)
        removed = sum(len(change.removed) for change in self.changes)
        return {**found, "statements added": added, "statements removed": removed}

    def as_json(self) -> dict[str, object]:
        changes = [
            {
                "kind": c.kind,
                "iri": c.iri,
                "label": c.label,
                "replacedBy": c.replaced_by,
                "added": c.added,
                "removed": c.removed,
            }
            for c in self.changes
        ]
        return {"old": self.old, "new": self.new, "counts": self.counts, "changes": changes}


def compare(old: State, new: State) -> Difference:
    """The changes that lead from `old` to `new`."""
    changes = []
    for iri in sorted(old.entities.keys() | new.entities.keys(), key=natural):
        before, after = old.entities.get(iri, frozenset()), new.entities.get(iri, frozenset())
        if before != after:
            label = new.labels.get(iri) or old.labels.get(iri, "")
            added, removed = sorted(after - before), sorted(before - after)
            kind = _kind(iri, old, new)
            instead = tuple(sorted(new.replaced.get(iri, ()))) if kind == "retired" else ()
            changes.append(Change(kind, iri, label, tuple(added), tuple(removed), instead))
    return Difference(old.name, new.name, tuple(changes))


def _kind(iri: str, old: State, new: State) -> str:
    if iri not in old.entities:
        return "new"
    if iri not in new.entities:
        return "gone"
    return "retired" if iri in new.retired - old.retired else "changed"


def state(name: str, quads: Iterable[ox.Quad], naming: Sequence[str] = _LABELS) -> State:
    """One side from its quads; nodes without names are told with whatever names them.

    `naming` are the properties that give labels, the first one first.
    """
    entities: dict[str, set[str]] = {}
    labels: dict[str, tuple[int, str]] = {}
    places = {predicate: place for place, predicate in enumerate(naming)}
    retired: set[str] = set()
    links: dict[str, dict[str, set[str]]] = {p: {} for p in (_TYPE, _SUBCLASS, *_REPLACED)}
    for quad in quads:
        if not isinstance(quad.subject, ox.NamedNode):
            continue
        iri, predicate = quad.subject.value, quad.predicate.value
        if isinstance(quad.object, ox.BlankNode):
            continue
        entities.setdefault(iri, set()).add(f"{quad.predicate} {quad.object}")
        if predicate in links and isinstance(quad.object, ox.NamedNode):
            links[predicate].setdefault(iri, set()).add(quad.object.value)
        if predicate == _DEPRECATED and quad.object.value == "true":  # type: ignore[union-attr]
            retired.add(iri)
        if predicate in places and isinstance(quad.object, ox.Literal):
            found = (places[predicate], quad.object.value)
            labels[iri] = min(labels.get(iri, found), found)
    return State(
        name,
        {iri: frozenset(said) for iri, said in entities.items()},
        {iri: label for iri, (_, label) in labels.items()},
        frozenset(retired),
        _frozen(links[_TYPE]),
        _frozen(links[_SUBCLASS]),
        _frozen(*(links[name] for name in _REPLACED)),
    )


def _frozen(*tables: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    names = {name for table in tables for name in table}
    return {n: frozenset().union(*(table.get(n, ()) for table in tables)) for n in names}


def open_state(path: Path, *, everything: bool = False, naming: Sequence[str] = _LABELS) -> State:
    """A side named by a user: a release, a folder of releases, a checkout, or an N-Quads file.

    Without `everything`, what the build makes (derived statements, the description) is left out.
    """
    if path.is_file():
        return state(path.name, _quads(path, frozenset()))
    if (path / graph.SETTINGS).is_file():
        return _checkout(path, everything=everything)
    try:
        found = release.read(path)
    except ReleaseError as error:
        raise UsageError(
            "is no release, no checkout and no N-Quads file", where=str(path)
        ) from error
    about = graph.read_release(found.path)
    made = frozenset() if everything else frozenset({about.derived_graph, about.dataset_graph})
    file = found.path / f"downloads/{found.manifest['name']}.nq"
    return state(found.name, _quads(file, made), naming)


def _checkout(root: Path, *, everything: bool) -> State:
    found = corpus.read(root)
    if found.broken:
        raise found.broken[0]
    quads = list(found.quads())
    if everything:
        quads += [
            ox.Quad(d.triple.subject, d.triple.predicate, d.triple.object) for d in found.derived
        ]
    return state(found.version, quads)


def _quads(file: Path, left_out: frozenset[str]) -> Iterator[ox.Quad]:
    for quad in ox.parse(path=str(file), format=ox.RdfFormat.N_QUADS):
        if not isinstance(quad.graph_name, ox.NamedNode) or quad.graph_name.value not in left_out:
            yield quad
