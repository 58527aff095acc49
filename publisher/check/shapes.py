"""The shapes themselves: a mistyped target or parameter would make a validator say "fine"."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyoxigraph as ox
from rdflib.namespace import OWL, RDF, RDFS, SH

from publisher.check.finding import Finding, did_you_mean
from publisher.check.vocabulary import closed_terms, defined_terms
from publisher.corpus import RDF_TYPE, Corpus, File
from publisher.errors import QueryFault
from publisher.turtle import Located

_SH = str(SH)
_XSD = "http://www.w3.org/2001/XMLSchema#"
_RDFS_CLASSES = {
    "http://www.w3.org/2002/07/owl#Class",
    "http://www.w3.org/2000/01/rdf-schema#Class",
}
_POINTS_AT_SHAPES = {"property", "node", "not", "qualifiedValueShape"}
_COUNTS = {
    "minCount",
    "maxCount",
    "minLength",
    "maxLength",
    "qualifiedMinCount",
    "qualifiedMaxCount",
}
_NODE_KINDS = {
    "IRI",
    "BlankNode",
    "Literal",
    "BlankNodeOrIRI",
    "BlankNodeOrLiteral",
    "IRIOrLiteral",
}


def _facts(corpus: Corpus) -> Iterator[tuple[File, Located, str]]:
    """Every fact in shapes/ with the local name of its predicate, if that is SHACL's."""
    for file in corpus.files:
        if file.room == "shapes":
            for fact in file.facts:
                name = fact.triple.predicate.value
                yield file, fact, name.removeprefix(_SH) if name.startswith(_SH) else ""


def known_parameters(corpus: Corpus) -> Iterator[Finding]:
    """`sh:mincount`: a validator passes over a parameter it does not know."""
    known = closed_terms(SH)
    for file, fact, name in _facts(corpus):
        values = [name] if name else []
        if isinstance(fact.triple.object, ox.NamedNode) and fact.triple.object.value.startswith(
            _SH
        ):
            values.append(fact.triple.object.value.removeprefix(_SH))
        for value in values:
            if value not in known:
                hint = did_you_mean(f"sh:{value}", (f"sh:{term}" for term in known))
                yield _finding(
                    corpus, "shape-parameters", file, fact, f"SHACL has no sh:{value}", hint
                )


def known_targets(corpus: Corpus) -> Iterator[Finding]:
    """A target, class, path or shape that is described nowhere: the constraint is never met."""
    terms = defined_terms(corpus)
    classes = {iri for iri, types in corpus.types.items() if types & _RDFS_CLASSES}
    for file, fact, name in _facts(corpus):
        value = fact.triple.object
        if not isinstance(value, ox.NamedNode):
            continue
        shown = corpus.graph.prefixes.show(value.value)
        show = corpus.graph.prefixes.show
        if name in ("targetClass", "class") and value.value not in classes:
            hint = did_you_mean(shown, map(show, classes))
            yield _finding(
                corpus,
                "shape-targets",
                file,
                fact,
                f"sh:{name} {shown} is no class of ontology/",
                hint or "declare it as owl:Class in ontology/",
            )
        elif name in _POINTS_AT_SHAPES and value.value not in corpus.described:
            hint = did_you_mean(shown, map(show, corpus.described))
            yield _finding(
                corpus, "shape-targets", file, fact, f"sh:{name} {shown} is described nowhere", hint
            )
        elif name == "path" and value.value not in terms and not _builtin(value.value):
            yield _path(corpus, file, fact, value.value)


def _builtin(iri: str) -> bool:
    return iri.startswith((str(RDF), str(RDFS), str(OWL)))


def _path(corpus: Corpus, file: File, fact: Located, iri: str) -> Finding:
    """Terms of our own are a violation under another rule already; a foreign one may be unused."""
    shown = corpus.graph.prefixes.show(iri)
    return Finding(
        "warning",
        "shape-targets",
        file.path,
        fact.line,
        "",
        f"sh:path {shown} is declared nowhere in ontology/",
        "declare it in ontology/foreign.ttl",
    )


def switched_on(corpus: Corpus) -> Iterator[Finding]:
    """A shape that somebody switched off and forgot."""
    for file, fact, name in _facts(corpus):
        value = fact.triple.object
        if name == "deactivated" and isinstance(value, ox.Literal) and value.value != "false":
            yield _finding(
                corpus,
                "shape-switched-off",
                file,
                fact,
                "the shape is switched off",
                "delete sh:deactivated, or the shape",
            )


def sensible_values(corpus: Corpus) -> Iterator[Finding]:
    """A count that is no number, a pattern that cannot be read, a node kind that does not exist."""
    for file, fact, name in _facts(corpus):
        value = fact.triple.object
        complaint = ""
        if name in _COUNTS and not _is_count(value):
            complaint = f"sh:{name} must be a whole number"
        elif name == "nodeKind" and not _is_node_kind(value):
            complaint = "sh:nodeKind must be one of " + ", ".join(
                f"sh:{k}" for k in sorted(_NODE_KINDS)
            )
        elif name == "datatype" and isinstance(value, ox.Literal):
            complaint = "sh:datatype must be a name, not a text"
        elif name == "pattern" and isinstance(value, ox.Literal):
            complaint = _pattern_complaint(value.value)
        if complaint:
            yield _finding(corpus, "shape-values", file, fact, complaint, "")


def _is_count(value: object) -> bool:
    return (
        isinstance(value, ox.Literal)
        and value.datatype.value == _XSD + "integer"
        and value.value.isdigit()
    )


def _is_node_kind(value: object) -> bool:
    return isinstance(value, ox.NamedNode) and value.value.removeprefix(_SH) in _NODE_KINDS


def _pattern_complaint(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        return f"sh:pattern cannot be read: {error}"
    return ""


def in_use(corpus: Corpus) -> Iterator[Finding]:
    """A shape without a target that no other shape uses, and a class without a single instance."""
    targeted: set[str] = set()
    used: set[str] = set()
    homes: dict[str, tuple[File, Located]] = {}
    instances = {name for types in corpus.types.values() for name in types} | _derived(corpus)
    populated = instances.union(*(corpus.superclasses.get(name, ()) for name in instances))
    for file, fact, name in _facts(corpus):
        t = fact.triple
        if isinstance(t.subject, ox.NamedNode):
            homes.setdefault(t.subject.value, (file, fact))
            if name.startswith("target"):
                targeted.add(t.subject.value)
        if isinstance(t.object, ox.NamedNode) and t.predicate != RDF_TYPE:
            used.add(t.object.value)
            if name == "targetClass" and t.object.value not in populated:
                shown = corpus.graph.prefixes.show(t.object.value)
                yield Finding(
                    "info",
                    "shape-in-use",
                    file.path,
                    fact.line,
                    "",
                    f"nothing in data/ is a {shown}",
                )
    shapes = {iri for iri in homes if corpus.types.get(iri, set()) & _SHAPES}
    for iri in sorted(shapes - targeted - used):
        file, fact = homes[iri]
        message = f"{corpus.graph.prefixes.show(iri)} has no target and no shape uses it"
        yield Finding(
            "warning", "shape-in-use", file.path, fact.line, "", message, "add sh:targetClass"
        )


def _derived(corpus: Corpus) -> set[str]:
    """The classes that only the rules make instances of."""
    try:
        made = corpus.derived
    except QueryFault:
        return set()
    return {str(d.triple.object.value) for d in made if d.triple.predicate == RDF_TYPE}  # type: ignore[union-attr]


_SHAPES = {_SH + "NodeShape", _SH + "PropertyShape"}


def _finding(
    corpus: Corpus, rule: str, file: File, fact: Located, message: str, fix: str
) -> Finding:
    subject = fact.triple.subject
    focus = corpus.graph.prefixes.show(subject.value) if isinstance(subject, ox.NamedNode) else ""
    return Finding("violation", rule, file.path, fact.line, focus, message, fix)
