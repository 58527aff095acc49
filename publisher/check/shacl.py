"""SHACL by pyshacl, in pieces that run side by side, with every result led back to file and line.

pyshacl wants an rdflib graph (on an Oxigraph-backed one it misses faults) and takes about 0.1 ms
per triple; its own way to restrict the focus nodes is unsound. So each `sh:targetClass` is written
out as the instances it means (SHACL section 2.1.3.2), and these are dealt to a few processes.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyoxigraph as ox
import pyshacl
import pyshacl.shape
import rdflib
from pyshacl.constraints import ALL_CONSTRAINT_PARAMETERS, CONSTRAINT_PARAMETERS_MAP
from rdflib.namespace import RDF, RDFS, SH

from publisher.check.finding import Finding, Severity, did_you_mean
from publisher.corpus import Corpus, File, Progress, silent
from publisher.errors import PublisherError
from publisher.turtle import Located

# Focus nodes per piece: small enough to share the work evenly and to move a progress bar, large
# enough that reading the shapes again (about 0.1 s) does not show.
PIECE = 600
_SEVERITIES: dict[str, Severity] = {
    str(SH.Violation): "violation",
    str(SH.Warning): "warning",
    str(SH.Info): "info",
}


class ShapesFault(PublisherError):
    """The validator cannot use the shapes."""


@dataclass(frozen=True)
class Result:
    """One result of a validator, as text; `path` and `value` are empty when there is none.

    A node without a name is written `_:label`.
    """

    focus: str
    path: str
    value: str
    message: str
    severity: Severity
    shape: str
    component: str
    value_is_literal: bool = False


def conforms(
    corpus: Corpus,
    *,
    only: Collection[str] = (),
    progress: Progress = silent,
    processes: int | None = None,
) -> Iterator[Finding]:
    """What the shapes say of everything else, or of what `only` these files describe."""
    shapes = [f.triple for file in corpus.files if file.room == "shapes" for f in file.facts]
    data = [f.triple for file in corpus.files if file.room != "shapes" for f in file.facts]
    data += [derived.triple for derived in corpus.derived]
    if not shapes:
        return
    seen = _seen_by(shapes)
    if seen:
        data = [triple for triple in data if triple.predicate.value in seen]
    places = Places(corpus)
    chosen = {iri for iri, (file, _) in corpus.described.items() if file.path in only}
    focus = frozenset(chosen) if only else None
    try:
        for result in validate(data, shapes, focus=focus, progress=progress, processes=processes):
            yield places.finding(result)
    except ShapesFault as error:
        yield Finding("violation", "shapes", "shapes/", 0, "", error.what)


def _seen_by(shapes: Iterable[ox.Triple]) -> set[str]:
    """The properties whose statements can matter; empty when any can (closed shapes, SPARQL).

    Every other statement would only be carried over to rdflib, which takes longest of all.
    """
    named: set[str] = {str(RDF.type), str(RDFS.subClassOf)}
    for triple in shapes:
        if triple.predicate.value in _SEE_EVERYTHING:
            return set()
        if isinstance(triple.object, ox.NamedNode):
            named.add(triple.object.value)
    return named


_SEE_EVERYTHING = {
    str(SH[name]) for name in ("closed", "sparql", "select", "ask", "js", "target", "parameter")
}


def validate(
    data: Iterable[ox.Triple],
    shapes: Iterable[ox.Triple],
    *,
    focus: frozenset[str] | None = None,
    progress: Progress = silent,
    processes: int | None = None,
) -> list[Result]:
    """Judge triples by shapes; with `focus`, only these instances of the targeted classes."""
    work = Work(to_rdflib(data), to_rdflib(shapes), focus)
    pieces = work.pieces()
    wanted = min(processes or min(4, os.cpu_count() or 1), len(pieces))
    found: list[Result] = []
    if wanted > 1 and "fork" in multiprocessing.get_all_start_methods():
        batches = _side_by_side(work, pieces, wanted)
    else:
        batches = (work.judge(piece) for piece in pieces)
    for done, batch in enumerate(batches, 1):
        found.extend(batch)
        progress("validating", done, len(pieces))
    return sorted(set(found), key=lambda r: (r.focus, r.shape, r.path, r.value, r.message))


class _Quick(list[object]):
    """pyshacl looks for each parameter of each shape in a list of them all; here by its hash."""

    def __init__(self, items: Iterable[object]) -> None:
        super().__init__(items)
        self.known = frozenset(items)

    def __contains__(self, item: object) -> bool:
        return item in self.known


# pyshacl fills this itself at its first use. A fifth of the time of a validation.
_QUICK = (_Quick(ALL_CONSTRAINT_PARAMETERS), CONSTRAINT_PARAMETERS_MAP)
pyshacl.shape.CONSTRAINT_PARAMS = _QUICK  # type: ignore[attr-defined]


def _side_by_side(work: Work, pieces: Sequence[Piece], processes: int) -> Iterator[list[Result]]:
    """Forked children see the graphs without a copy being sent; only pieces and results travel."""
    context = multiprocessing.get_context("fork")
    with context.Pool(processes, initializer=_hold, initargs=(work,)) as pool:
        yield from pool.imap(_judge_held, pieces)


# What a child works on; always empty in the parent.
_held: list[Work] = []


def _hold(work: Work) -> None:
    """In a child: the parent's objects are left alone by the collector, and so stay shared."""
    gc.freeze()
    gc.enable()
    _held.append(work)


def _judge_held(piece: Piece) -> list[Result]:
    return _held[0].judge(piece)


@dataclass(frozen=True)
class Piece:
    """Some focus nodes for each of some shapes; `rest` also keeps every other kind of target."""

    targets: tuple[tuple[str, tuple[str, ...]], ...]
    rest: bool = False


@dataclass(frozen=True)
class Work:
    """What is judged by which shapes; with `focus`, only these instances of targeted classes."""

    data: rdflib.Graph
    shapes: rdflib.Graph
    focus: frozenset[str] | None = None

    @cached_property
    def bare(self) -> rdflib.Graph:
        """The shapes without their class targets."""
        bare = rdflib.Graph()
        for triple in self.shapes:
            if triple[1] != SH.targetClass:
                bare.add(triple)
        return bare

    def pieces(self) -> list[Piece]:
        pieces = [Piece((), rest=True)]
        for shape, target in sorted(self.shapes.subject_objects(SH.targetClass)):
            nodes = self._instances(target)
            for start in range(0, len(nodes), PIECE):
                pieces.append(Piece(((str(shape), tuple(nodes[start : start + PIECE])),)))
        return _even(pieces)

    def _instances(self, target: rdflib.term.Node) -> list[str]:
        classes = set(self.data.transitive_subjects(RDFS.subClassOf, target))
        found = {key(node) for name in classes for node in self.data.subjects(RDF.type, name)}
        return sorted(found if self.focus is None else found & self.focus)

    def judge(self, piece: Piece) -> list[Result]:
        """The results of one piece."""
        return list(results_of(self.report(piece)))

    def report(self, piece: Piece) -> rdflib.Graph:
        """The report on one piece. The data graph is as before when this returns."""
        marks = [
            (rdflib.URIRef(shape), _MARK + str(number), _node(node))
            for number, (shape, nodes) in enumerate(piece.targets)
            for node in nodes
        ]
        for mark in marks:
            self.data.add(mark)
        try:
            _, report, _ = pyshacl.validate(
                self.data, shacl_graph=self._aimed(piece), inplace=True, do_owl_imports=False
            )
        except (RuntimeError, re.error) as error:
            reason = " ".join(str(error).partition("\n")[0].split())
            raise ShapesFault(f"the shapes cannot be applied: {reason}") from error
        finally:
            for mark in marks:
                self.data.remove(mark)
        assert isinstance(report, rdflib.Graph)
        return report

    def _aimed(self, piece: Piece) -> rdflib.Graph:
        """The shapes, aimed at the piece's focus nodes.

        A node shape hands its focus nodes on to its property shapes one by one, which is a quarter
        of all the time; where no other shape uses it, they are given its targets themselves.
        """
        shapes = rdflib.Graph()
        for triple in self.bare:
            if piece.rest or triple[1] not in _OTHER_TARGETS:
                shapes.add(triple)
        for number, (name, _) in enumerate(piece.targets):
            shape = rdflib.URIRef(name)
            shapes.add((shape, SH.targetObjectsOf, _MARK + str(number)))
            if (None, None, shape) in self.bare or (shape, SH.deactivated, None) in self.bare:
                continue
            for inner in list(shapes.objects(shape, SH.property)):
                shapes.remove((shape, SH.property, inner))
                shapes.add((inner, SH.targetObjectsOf, _MARK + str(number)))
        return shapes


# Focus nodes are marked in the data as objects of a property that nobody uses: one statement for
# each, which no constraint can see.
_MARK = rdflib.URIRef("urn:neuromodkg:focus-")
_OTHER_TARGETS = {SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf}


def _even(pieces: list[Piece]) -> list[Piece]:
    """Small pieces put together, so that none is much below PIECE focus nodes."""
    joined: list[Piece] = []
    size = PIECE
    for piece in pieces:
        own = sum(len(nodes) for _, nodes in piece.targets)
        if size + own <= PIECE and joined:
            joined[-1] = Piece(joined[-1].targets + piece.targets, joined[-1].rest)
            size += own
        else:
            joined.append(piece)
            size = own
    return joined


def key(node: rdflib.term.Node | None) -> str:
    """A node as text; empty for none."""
    if node is None:
        return ""
    return f"_:{node}" if isinstance(node, rdflib.BNode) else str(node)


def _node(key: str) -> rdflib.URIRef | rdflib.BNode:
    return rdflib.BNode(key[2:]) if key.startswith("_:") else rdflib.URIRef(key)


def results_of(report: rdflib.Graph) -> Iterator[Result]:
    """The results of a report, without those that only explain another."""
    for node in report.subjects(RDF.type, SH.ValidationResult):
        if (None, SH.detail, node) in report:
            continue
        value = report.value(node, SH.value)
        path = report.value(node, SH.resultPath)
        messages = _messages(report, node)
        yield Result(
            focus=key(report.value(node, SH.focusNode)),
            path=str(path) if isinstance(path, rdflib.URIRef) else "",
            value=key(value),
            message=" ".join(messages),
            severity=_SEVERITIES.get(str(report.value(node, SH.resultSeverity)), "violation"),
            shape=str(report.value(node, SH.sourceShape)),
            component=str(report.value(node, SH.sourceConstraintComponent)).removeprefix(str(SH)),
            value_is_literal=isinstance(value, rdflib.Literal),
        )


def _messages(report: rdflib.Graph, node: rdflib.term.Node) -> list[str]:
    """What the shape's author said; where nothing, what the inner shapes' authors said."""
    own = sorted(str(message) for message in report.objects(node, SH.resultMessage))
    inner = [m for detail in report.objects(node, SH.detail) for m in _messages(report, detail)]
    generic = all(_GENERIC.match(message) for message in own)
    return sorted(set(inner)) if inner and generic else own


_GENERIC = re.compile(r"(Value|Node) .*(conform|[Ss]hape)")


def to_rdflib(triples: Iterable[ox.Triple]) -> rdflib.Graph:
    """The triples as an rdflib graph; lexical forms stay as they are."""
    graph = rdflib.Graph()
    known: dict[str, rdflib.URIRef] = {}

    def name(iri: str) -> rdflib.URIRef:
        found = known.get(iri)
        if found is None:
            found = known[iri] = rdflib.URIRef(iri)
        return found

    def node(term: object) -> rdflib.term.Node:
        if isinstance(term, ox.NamedNode):
            return name(term.value)
        if isinstance(term, ox.BlankNode):
            return rdflib.BNode(term.value)
        assert isinstance(term, ox.Literal)
        if term.language:
            return rdflib.Literal(term.value, lang=term.language)
        return rdflib.Literal(term.value, datatype=name(term.datatype.value), normalize=False)

    for triple in triples:
        graph.add((node(triple.subject), name(triple.predicate.value), node(triple.object)))
    return graph


class Places:
    """Leads a result back to the line that is wrong."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.prefixes = corpus.graph.prefixes
        self.facts: dict[str, list[tuple[File, Located]]] = {}
        for file, fact in corpus.located():
            subject = fact.triple.subject
            if not isinstance(subject, ox.Triple) and file.room != "shapes":
                self.facts.setdefault(_text(subject), []).append((file, fact))
        self.rules: dict[str, str] = {}
        for derived in corpus.derived:
            if isinstance(derived.triple.subject, ox.NamedNode):
                self.rules.setdefault(derived.triple.subject.value, derived.rule)
        self.parameters: dict[tuple[str, str], str] = {}
        for file in corpus.files:
            if file.room == "shapes":
                for fact in file.facts:
                    self._remember(fact)

    def show(self, name: str) -> str:
        """A name as people write it; a node without one is called so."""
        return "a node without a name" if name.startswith("_:") else self.prefixes.show(name)

    def _remember(self, fact: Located) -> None:
        t = fact.triple
        if not isinstance(t.subject, ox.Triple) and not isinstance(t.object, ox.BlankNode):
            text = (
                self.show(t.object.value)
                if isinstance(t.object, ox.NamedNode)
                else str(
                    t.object.value  # type: ignore[union-attr]
                )
            )
            self.parameters[t.subject.value, t.predicate.value.removeprefix(str(SH))] = text

    def finding(self, result: Result) -> Finding:
        file, line = self._place(result)
        return Finding(
            result.severity,
            self.show(result.shape) if result.shape.startswith("http") else result.component,
            file,
            line,
            self.show(result.focus),
            self._message(result),
            self._fix(result),
        )

    def _place(self, result: Result) -> tuple[str, int]:
        """The line of the value, else of its property, else where the focus node starts."""
        facts = self.facts.get(result.focus, [])
        same_path = [f for f in facts if f[1].triple.predicate.value == result.path]
        same_value = [f for f in same_path if _text(f[1].triple.object) == result.value]
        for candidates in (same_value, same_path, facts):
            if candidates:
                file, fact = candidates[0]
                return file.path, fact.line
        return self.rules.get(result.focus, "data/"), 0

    def _message(self, result: Result) -> str:
        shown = f'"{result.value}"' if result.value_is_literal else self.show(result.value)
        said = f" is {shown}" if result.value and result.value != result.focus else ""
        path = self.show(result.path) if result.path else ""
        subject = f"{self.show(result.focus)} {path}".strip()
        return f"{subject}{said}: {result.message}"

    def _fix(self, result: Result) -> str:
        name = result.component.removesuffix("ConstraintComponent")
        parameter = name[:1].lower() + name[1:]
        wanted = self.parameters.get((result.shape, parameter), "")
        path = self.show(result.path) if result.path else "it"
        if parameter == "class" and wanted:
            return self._class_fix(result, wanted)
        phrases = {
            "minCount": f"add {path}",
            "maxCount": f"keep at most {wanted} of its values",
            "datatype": f"expected a value of {wanted}",
            "hasValue": f"add {path} {wanted}",
            "pattern": f"expected {wanted}",
            "minInclusive": f"expected {wanted} or more",
            "maxInclusive": f"expected {wanted} or less",
            "minExclusive": f"expected more than {wanted}",
            "maxExclusive": f"expected less than {wanted}",
            "minLength": f"expected {wanted} characters or more",
            "maxLength": f"expected {wanted} characters or less",
            "nodeKind": f"expected {wanted}",
            "lessThan": f"expected less than {wanted}",
            "lessThanOrEquals": f"expected no more than {wanted}",
            "uniqueLang": "keep one value per language",
        }
        return (
            phrases.get(parameter, "") if wanted or parameter in ("minCount", "uniqueLang") else ""
        )

    def _class_fix(self, result: Result, wanted: str) -> str:
        members = [
            self.show(iri)
            for iri in self.corpus.types
            if self.corpus.is_a(iri, self.corpus.graph.prefixes.expand(wanted) or wanted)
        ]
        hint = did_you_mean(self.show(result.value), members)
        return f"expected a {wanted}" + (f"; {hint}" if hint else "")


def _text(node: object) -> str:
    return str(node) if isinstance(node, ox.BlankNode) else str(getattr(node, "value", node))
