"""Identifiers: DOIs and their kin are well-formed, and sources are named after theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyoxigraph as ox

from publisher.check.finding import Finding
from publisher.corpus import Corpus
from publisher.graph import Identifier, Sources
from publisher.names import identifier_slug
from publisher.turtle import Located


def well_formed(corpus: Corpus) -> Iterator[Finding]:
    """A value that is no identifier of its kind, such as a DOI with its address before it."""
    by_property: dict[str, list[Identifier]] = {}
    for identifier in corpus.graph.identifiers:
        by_property.setdefault(identifier.property, []).append(identifier)
    for file, fact in corpus.located():
        t = fact.triple
        kinds = by_property.get(t.predicate.value)
        if kinds is None or not isinstance(t.object, ox.Literal):
            continue
        if not any(kind.regex.fullmatch(t.object.value) for kind in kinds):
            names = " or ".join(kind.name for kind in kinds)
            yield Finding(
                "violation",
                "identifiers",
                file.path,
                fact.line,
                _show(corpus, t.subject),
                f'{_show(corpus, t.predicate)} is "{t.object.value}", which is no {names}',
                _repair(t.object.value, kinds),
            )


def _repair(value: str, kinds: list[Identifier]) -> str:
    for kind in kinds:
        inner = re.search(kind.pattern, value)
        if inner and len(inner[0]) > 3:
            return f"write {inner[0].rstrip('.,;')}"
    return f"it looks like {kinds[0].example}"


def sources_are_identified(corpus: Corpus) -> Iterator[Finding]:
    """A source that nobody can look up, and that says nothing of why."""
    sources = corpus.graph.sources
    if sources is None:
        return
    wanted = {i.property for i in corpus.graph.identifiers if i.source}
    names = ", ".join(corpus.graph.prefixes.show(name) for name in sorted(wanted))
    for iri, (file, line) in corpus.described.items():
        if file.room != "data" or not corpus.is_a(iri, sources.of_class):
            continue
        said = [f for f in file.facts if f.triple.subject == ox.NamedNode(iri)]
        if not any(f.triple.predicate.value in wanted or _excused(f, sources) for f in said):
            shown = corpus.graph.prefixes.show(iri)
            message = f"{shown} has no identifier under which it can be found"
            yield Finding(
                "violation",
                "sources-are-identified",
                file.path,
                line,
                shown,
                message,
                f"give it one of {names}",
            )


def _excused(fact: Located, sources: Sources) -> bool:
    value = fact.triple.object
    return (
        fact.triple.predicate.value == sources.excuse_property
        and isinstance(value, ox.NamedNode)
        and value.value == sources.excuse_value
    )


def sources_agree(corpus: Corpus) -> Iterator[Finding]:
    """A source that is named after another identifier than it has."""
    sources = corpus.graph.sources
    space = corpus.graph.prefixes.namespaces.get(sources.prefix, "") if sources else ""
    named_after = [i for i in corpus.graph.identifiers if i.source]
    if not space:
        return
    for iri, (file, line) in corpus.described.items():
        local = iri.removeprefix(space)
        if local == iri or file.room != "data":
            continue
        kind = next((i for i in named_after if local.startswith(i.name + "-")), None)
        if kind is None:
            continue
        values = _values(corpus, iri, kind.property)
        if any(not kind.regex.fullmatch(value) for value, _ in values):
            continue  # said already, by the rule above
        if not any(local in source_names(kind, value) for value, _ in values):
            at = values[0][1] if values else line
            yield _disagreement(corpus, iri, kind, [value for value, _ in values], file.path, at)


def source_names(kind: Identifier, value: str) -> tuple[str, ...]:
    """What a source with this identifier may be called; the first one is what `mint` takes.

    >>> nct = Identifier("nct", "p", "NCT.*", "NCT1")
    >>> source_names(nct, "NCT01923285")
    ('nct-01923285', 'nct-nct01923285')
    """
    slug = identifier_slug(value)
    return (f"{kind.name}-{slug.removeprefix(kind.name)}", f"{kind.name}-{slug}")


def _values(corpus: Corpus, iri: str, wanted: str) -> list[tuple[str, int]]:
    file, _ = corpus.described[iri]
    return [
        (fact.triple.object.value, fact.line)
        for fact in file.facts
        if fact.triple.subject == ox.NamedNode(iri)
        and fact.triple.predicate.value == wanted
        and isinstance(fact.triple.object, ox.Literal)
    ]


def _disagreement(
    corpus: Corpus, iri: str, kind: Identifier, values: list[str], file: str, line: int
) -> Finding:
    shown = corpus.graph.prefixes.show(iri)
    if values:
        message = f'{shown} is named after another {kind.name} than "{values[0]}"'
        prefix = shown.partition(":")[0]
        fix = f"mend the identifier, or call it {prefix}:{source_names(kind, values[0])[0]}"
    else:
        message = f"{shown} is named after a {kind.name} and has none"
        fix = f"add {corpus.graph.prefixes.show(kind.property)}"
    return Finding("violation", "sources-agree", file, line, shown, message, fix)


def _show(corpus: Corpus, node: object) -> str:
    return corpus.graph.prefixes.show(node.value) if isinstance(node, ox.NamedNode) else str(node)
