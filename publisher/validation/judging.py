"""Statements → verdict: what the shapes of a release say of somebody's data.

What the data describe is judged by what the data say of it; what they only point at is looked up in
the release, so that `sh:class` and paths that lead into the release find what they ask for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import rdflib
from rdflib.namespace import RDF, SH

from publisher import graph
from publisher.check import shacl
from publisher.check.finding import Finding, did_you_mean
from publisher.check.shacl import Places, Work
from publisher.corpus import Corpus, File
from publisher.errors import NotFound
from publisher.turtle import Located
from publisher.validation import reading

SHAPES = "downloads/shapes.nt"
STEPS = 3  # how far into the release the data are followed
MOST_CONTEXT = 20_000  # statements
MOST_EACH = 500
MOST_FINDINGS = 1000  # told in words; the report has all
_SUBCLASS = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#subClassOf")
_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_DEPRECATED = ox.NamedNode("http://www.w3.org/2002/07/owl#deprecated")
_REPLACED = ox.NamedNode("http://purl.org/dc/terms/isReplacedBy")
_INVERSE = "http://www.w3.org/ns/shacl#inversePath"
_UNION = ox.DefaultGraph()


@dataclass(frozen=True)
class Verdict:
    """What is said of some data: `conforms` as SHACL means it (no result of any severity).

    `judged` is the number of nodes that some shape is aimed at: 0 means that nothing was judged.
    `report` is the SHACL report as N-Triples; `notes` are what shapes cannot say.
    """

    conforms: bool
    statements: int
    judged: int
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    more: int
    report: str

    def as_json(self) -> dict[str, Any]:
        """For the pipe."""
        return asdict(self)


class Judge:
    """The shapes of one release, read once."""

    def __init__(self, release: Path) -> None:
        file = release / SHAPES
        if not file.is_file():
            raise NotFound("this release has no shapes to validate by")
        self.about = graph.read_release(release)
        self.context = json.loads((release / "context.jsonld").read_text("utf-8"))
        self.shapes = [q.triple for q in ox.parse(path=str(file), format=ox.RdfFormat.N_TRIPLES)]
        self.aims = shacl.to_rdflib(self.shapes)
        self.store = ox.Store.read_only(str(release / "store"))

    def judge(self, text: str, form: str) -> Verdict:
        """The verdict on a text; raises what `reading.read` raises."""
        located = reading.read(
            text,
            form,
            context_iri=f"{self.about.base}context.jsonld",
            context=self.context,
            known=tuple(self.about.prefixes.namespaces),
        )
        own = list(dict.fromkeys(fact.triple for fact in located))
        subjects = {t.subject for t in own}
        beside = list(self._context(own, subjects))
        focus = frozenset(_key(subject) for subject in subjects)
        work = Work(shacl.to_rdflib([*own, *beside]), self.aims, focus)
        nodes = focus | {_key(t.object) for t in own if not isinstance(t.object, ox.Literal)}
        report, results = _judged(work, nodes)
        places = self._places(located, [*beside, *self._members(results)])
        found = [places.finding(result) for result in results]
        found.sort(key=lambda f: (not f.line, f.order))
        return Verdict(
            conforms=not results,
            statements=len(own),
            judged=len(self._aimed(work)),
            findings=tuple(found[:MOST_FINDINGS]),
            notes=tuple(self._notes(located)),
            more=max(0, len(found) - MOST_FINDINGS),
            report=report,
        )

    # what the data lean on

    def _context(self, own: Iterable[ox.Triple], subjects: set[Any]) -> Iterator[ox.Triple]:
        """What the release says of everything that the data name and do not describe."""
        count = 0
        for quad in self.store.quads_for_pattern(None, _SUBCLASS, None, _UNION):
            yield quad.triple
        if any(t.predicate.value == _INVERSE for t in self.shapes):
            for subject in [s for s in subjects if isinstance(s, ox.NamedNode)]:
                quads = self.store.quads_for_pattern(None, None, subject, _UNION)
                for quad, _ in zip(quads, range(MOST_EACH), strict=False):
                    yield quad.triple
        seen = set(subjects)
        ahead = [t.object for t in own if t.predicate != _TYPE]
        for _ in range(STEPS):
            reached: list[Any] = []
            for node in ahead:
                if not isinstance(node, ox.NamedNode) or node in seen:
                    continue
                seen.add(node)
                quads = self.store.quads_for_pattern(node, None, None, _UNION)
                for quad, _n in zip(quads, range(MOST_EACH), strict=False):
                    count += 1
                    if count > MOST_CONTEXT:
                        return
                    yield quad.triple
                    if quad.predicate != _TYPE:
                        reached.append(quad.object)
            ahead = reached

    def _aimed(self, work: Work) -> set[str]:
        """The nodes of the data that the shapes are aimed at."""
        found = {n for piece in work.pieces() for _, nodes in piece.targets for n in nodes}
        focus = work.focus or frozenset()
        others: set[Any] = set(self.aims.objects(None, SH.targetNode))
        for name in self.aims.objects(None, SH.targetSubjectsOf):
            others |= set(work.data.subjects(name))
        for name in self.aims.objects(None, SH.targetObjectsOf):
            others |= set(work.data.objects(None, name))
        return found | ({shacl.key(node) for node in others} & focus)

    # saying it

    def _places(self, located: list[Located], beside: list[ox.Triple]) -> Places:
        """Lines, messages and fixes, as the check of the graph itself words them."""
        nowhere = ox.NamedNode(self.about.base)

        def file(path: str, facts: Iterable[Located]) -> File:
            return File(path, nowhere, "", tuple(facts))

        corpus = Corpus(
            root=Path(),
            graph=self.about,
            files=(
                file(reading.NAME, located),
                file("release", (Located(t, 0) for t in beside)),
                file("shapes/all", (Located(t, 0) for t in self.shapes)),
            ),
            broken=(),
            stray=(),
            rules=(),
            checks=(),
            editions={},
            pages=(),
            digest="",
        )
        return Places(corpus)

    def _members(self, results: Iterable[shacl.Result]) -> Iterator[ox.Triple]:
        """What would have been of the class that was asked for: to suggest what was meant."""
        shapes = {r.shape for r in results if r.component == "ClassConstraintComponent" and r.value}
        wanted = {
            value
            for shape in shapes
            for value in self.aims.objects(rdflib.URIRef(shape), SH["class"])
        }
        for name in wanted:
            quads = self.store.quads_for_pattern(None, _TYPE, ox.NamedNode(str(name)), _UNION)
            for quad, _ in zip(quads, range(MOST_CONTEXT), strict=False):
                yield quad.triple

    def _notes(self, located: Iterable[Located]) -> Iterator[Finding]:
        """Terms that the vocabulary does not have, and what was retired: shapes pass both by."""
        seen: set[ox.NamedNode] = set()
        for fact in located:
            t = fact.triple
            terms = [t.predicate] if t.predicate != _TYPE else [t.predicate, t.object]
            for term in terms:
                if isinstance(term, ox.NamedNode) and term not in seen:
                    seen.add(term)
                    yield from self._unknown(term, fact.line)
            if isinstance(t.object, ox.NamedNode) and t.object not in seen:
                seen.add(t.object)
                yield from self._retired(t.object, fact.line)

    def _unknown(self, term: ox.NamedNode, line: int) -> Iterator[Finding]:
        if not term.value.startswith(self.about.terms):
            return
        if next(self.store.quads_for_pattern(term, None, None, _UNION), None) is None:
            shown = self.about.prefixes.show(term.value)
            message = f"the vocabulary has no {shown}, so no shape looks at it"
            hint = did_you_mean(shown, self._terms)
            yield Finding("warning", "unknown-term", reading.NAME, line, shown, message, hint)

    def _retired(self, node: ox.NamedNode, line: int) -> Iterator[Finding]:
        marks = self.store.quads_for_pattern(node, _DEPRECATED, None, _UNION)
        if any(getattr(quad.object, "value", "") == "true" for quad in marks):
            instead = [
                self.about.prefixes.show(quad.object.value)
                for quad in self.store.quads_for_pattern(node, _REPLACED, None, _UNION)
                if isinstance(quad.object, ox.NamedNode)
            ]
            shown = self.about.prefixes.show(node.value)
            fix = f"use {' or '.join(instead)}" if instead else ""
            yield Finding(
                "warning", "retired", reading.NAME, line, shown, f"{shown} is retired", fix
            )

    @cached_property
    def _terms(self) -> list[str]:
        """Every term of the graph's own vocabulary."""
        kinds = ("Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty")
        found = {
            quad.subject.value
            for kind in kinds
            for quad in self.store.quads_for_pattern(
                None, _TYPE, ox.NamedNode(f"http://www.w3.org/2002/07/owl#{kind}"), _UNION
            )
            if isinstance(quad.subject, ox.NamedNode)
        }
        return [self.about.prefixes.show(iri) for iri in found if iri.startswith(self.about.terms)]


def _key(node: Any) -> str:
    return str(node) if isinstance(node, ox.BlankNode) else str(getattr(node, "value", node))


def _judged(work: Work, nodes: frozenset[str] | set[str]) -> tuple[str, list[shacl.Result]]:
    """One report of all pieces, on the data's own nodes only; and its results."""
    whole = rdflib.Graph()
    top = rdflib.BNode("report")
    results: list[shacl.Result] = []
    for piece in work.pieces():
        part = work.report(piece)
        for node in set(part.objects(None, SH.result)):
            if shacl.key(part.value(node, SH.focusNode)) not in nodes:
                continue
            whole.add((top, SH.result, node))
            for triple in _below(part, node):
                whole.add(triple)
    whole.add((top, RDF.type, SH.ValidationReport))
    results = sorted(
        set(shacl.results_of(whole)), key=lambda r: (r.focus, r.shape, r.path, r.value, r.message)
    )
    whole.add((top, SH.conforms, rdflib.Literal(not results)))
    return whole.serialize(format="nt"), results


# the data's own nodes are not said again in the report
_LEADS_OUT = {SH.focusNode, SH.value}


def _below(part: rdflib.Graph, node: rdflib.term.Node) -> Iterator[tuple[Any, Any, Any]]:
    """A result, and the unnamed nodes (paths, shapes, details) that it leads to."""
    seen = {node}
    ahead = [node]
    while ahead:
        for triple in part.triples((ahead.pop(), None, None)):
            yield triple
            value = triple[2]
            follow = isinstance(value, rdflib.BNode) and triple[1] not in _LEADS_OUT
            if follow and value not in seen:
                seen.add(value)
                ahead.append(value)
