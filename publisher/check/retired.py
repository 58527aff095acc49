"""What was retired: it says what stands in its place, and nothing points at it any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyoxigraph as ox

from publisher.check.finding import Finding
from publisher.corpus import Corpus

_OWL = "http://www.w3.org/2002/07/owl#"
_DCTERMS = "http://purl.org/dc/terms/"
_DEPRECATED = ox.NamedNode(_OWL + "deprecated")
_REPLACED_BY = ox.NamedNode(_DCTERMS + "isReplacedBy")
# What may point at a retired entity: the record of its retirement.
_RECORD = {_REPLACED_BY.value, _DCTERMS + "replaces", _OWL + "priorVersion"}


def _retired(corpus: Corpus) -> Mapping[str, str]:
    """Each retired IRI with its replacement, empty where none is named."""
    retired: dict[str, str] = {}
    replaced: dict[str, str] = {}
    for _, fact in corpus.located():
        t = fact.triple
        if not isinstance(t.subject, ox.NamedNode):
            continue
        if (
            t.predicate == _DEPRECATED
            and isinstance(t.object, ox.Literal)
            and t.object.value == "true"
        ):
            retired[t.subject.value] = ""
        if t.predicate == _REPLACED_BY and isinstance(t.object, ox.NamedNode):
            replaced[t.subject.value] = t.object.value
    return {iri: replaced.get(iri, "") for iri in retired if iri in corpus.described}


def replaced(corpus: Corpus) -> Iterator[Finding]:
    """A retired entity that names no replacement, or one that is retired as well."""
    retired = _retired(corpus)
    for iri, replacement in retired.items():
        file, line = corpus.described[iri]
        shown = corpus.graph.prefixes.show(iri)
        if not replacement:
            yield Finding(
                "warning",
                "retired",
                file.path,
                line,
                shown,
                f"{shown} is retired and names no replacement",
                "add dcterms:isReplacedBy, if anything stands in its place",
            )
        elif replacement in retired:
            yield Finding(
                "violation",
                "retired",
                file.path,
                line,
                shown,
                f"the replacement of {shown} is retired as well",
                "name the one that is in use",
            )


def unused(corpus: Corpus) -> Iterator[Finding]:
    """Something that still points at a retired entity."""
    retired = _retired(corpus)
    if not retired:
        return
    for file, fact in corpus.located():
        t = fact.triple
        if not isinstance(t.object, ox.NamedNode) or t.object.value not in retired:
            continue
        if t.predicate.value in _RECORD or _name(t.subject) in retired:
            continue
        show = corpus.graph.prefixes.show
        replacement = retired[t.object.value]
        yield Finding(
            "violation",
            "retired",
            file.path,
            fact.line,
            show(_name(t.subject)),
            f"{show(t.object.value)} is retired",
            f"use {show(replacement)}" if replacement else "point at something that is in use",
        )


def _name(node: object) -> str:
    return node.value if isinstance(node, ox.NamedNode) else ""
