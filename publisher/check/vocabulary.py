"""Names: every term is defined and every entity is described, so that a slip of the pen shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import pyoxigraph as ox
from rdflib import namespace as rdflib_namespaces
from rdflib.namespace import DefinedNamespace, DefinedNamespaceMeta

from publisher.check.finding import Finding, Severity, did_you_mean
from publisher.corpus import RDF_TYPE, Corpus, File
from publisher.graph import Derived, stem
from publisher.turtle import Located

_LANGUAGES = ("RDF", "RDFS", "OWL", "XSD", "SH")


def known_terms(corpus: Corpus) -> Iterator[Finding]:
    """A term of our vocabulary that ontology/ does not define, or of a known one that lacks it."""
    terms = defined_terms(corpus)
    ours = corpus.graph.terms
    checked: dict[str, str | None] = {}
    for file, fact, iri, place in _names(corpus):
        if iri not in checked:
            checked[iri] = _unknown(iri, place, terms, ours, corpus)
        fix = checked[iri]
        if fix is not None:
            yield _finding(
                corpus, "known-terms", file, fact, f"{_show(corpus, iri)} is defined nowhere", fix
            )


def defined_terms(corpus: Corpus) -> frozenset[str]:
    """Everything that ontology/ says something about."""
    return frozenset(
        fact.triple.subject.value
        for file in corpus.files
        if file.room == "ontology"
        for fact in file.facts
        if isinstance(fact.triple.subject, ox.NamedNode)
    )


def _names(corpus: Corpus) -> Iterator[tuple[File, Located, str, str]]:
    """Every IRI with the place it stands in: subject, predicate, type, object or datatype."""
    for file, fact in corpus.located():
        t = fact.triple
        if isinstance(t.subject, ox.NamedNode):
            yield file, fact, t.subject.value, "subject"
        yield file, fact, t.predicate.value, "predicate"
        if isinstance(t.object, ox.NamedNode):
            yield file, fact, t.object.value, "type" if t.predicate == RDF_TYPE else "object"
        elif isinstance(t.object, ox.Literal):
            yield file, fact, t.object.datatype.value, "datatype"


def _unknown(
    iri: str, place: str, terms: frozenset[str], ours: tuple[str, ...], corpus: Corpus
) -> str | None:
    """How to mend an unknown term; None when it is known or nobody can tell."""
    if iri in terms:
        return None
    show = corpus.graph.prefixes.show
    if iri.startswith(ours) and ours:
        hint = did_you_mean(show(iri), (show(t) for t in terms if t.startswith(ours)))
        return hint or "define it in ontology/, or use a term that is there"
    closed = _closed(iri)
    if closed is None or place in ("subject", "object"):
        return None
    names = closed_terms(closed)
    if iri.removeprefix(str(closed)) in names:
        return None
    hint = did_you_mean(show(iri), (show(str(closed) + name) for name in names))
    return hint or "the vocabulary has no such term"


@lru_cache(maxsize=1)
def _closed_namespaces() -> tuple[DefinedNamespaceMeta, ...]:
    found = [
        value
        for value in vars(rdflib_namespaces).values()
        if isinstance(value, DefinedNamespaceMeta) and value is not DefinedNamespace
    ]
    return tuple(sorted(found, key=lambda space: -len(str(space))))


@lru_cache(maxsize=4096)
def _closed(iri: str) -> DefinedNamespaceMeta | None:
    """The vocabulary that rdflib knows all terms of and this IRI claims to be in."""
    for space in _closed_namespaces():
        rest = iri.removeprefix(str(space))
        if rest != iri and not re.search(r"[/#]", rest):
            return space if not space._fail or closed_terms(space) else None
    return None


@lru_cache(maxsize=64)
def closed_terms(space: DefinedNamespaceMeta) -> frozenset[str]:
    return frozenset([*space.__annotations__, *space._extras])


_PREFIXED = re.compile(r"(?<![\w:<])([A-Za-z][\w.-]*):([A-Za-z_][\w-]*)")


def known_terms_in_queries(corpus: Corpus) -> Iterator[Finding]:
    """A term in a query that ontology/ does not define: the query would quietly find nothing."""
    terms = defined_terms(corpus)
    for path, line, text in _query_lines(corpus):
        for prefix, local in _PREFIXED.findall(re.sub(r'"[^"]*"|<[^>]*>|#.*', "", text)):
            iri = corpus.graph.prefixes.expand(f"{prefix}:{local}")
            if iri and iri.startswith(corpus.graph.terms) and iri not in terms:
                name = f"{prefix}:{local}"
                ours = (t for t in terms if t.startswith(corpus.graph.terms))
                hint = did_you_mean(name, (_show(corpus, t) for t in ours))
                yield Finding(
                    "violation", "known-terms", path, line, "", f"{name} is defined nowhere", hint
                )


def _query_lines(corpus: Corpus) -> Iterator[tuple[str, int, str]]:
    editions = [query for queries in corpus.editions.values() for query in queries]
    for path, text in (*corpus.rules, *corpus.pages, *editions):
        for number, line in enumerate(text.split("\n"), 1):
            yield path, number, line
    for file, fact in corpus.located():
        t = fact.triple
        if t.predicate.value in _QUERY_PROPERTIES and isinstance(t.object, ox.Literal):
            for line in t.object.value.split("\n"):
                yield file.path, fact.line, line


_QUERY_PROPERTIES = {
    f"http://www.w3.org/ns/shacl#{name}" for name in ("select", "ask", "construct", "update")
}


def declared_properties(corpus: Corpus) -> Iterator[Finding]:
    """A foreign property in data/ that ontology/ does not declare: OWL tools would refuse it."""
    terms = defined_terms(corpus)
    builtin = tuple(str(getattr(rdflib_namespaces, name)) for name in _LANGUAGES)
    told: set[str] = set()
    for file, fact in corpus.located():
        iri = fact.triple.predicate.value
        if file.room != "data" or file.table is not None or iri in terms or iri in told:
            continue
        if iri.startswith((*builtin, *corpus.graph.terms)):
            continue
        told.add(iri)
        yield _finding(
            corpus,
            "declared-properties",
            file,
            fact,
            f"{_show(corpus, iri)} is used and declared nowhere",
            "declare it in ontology/foreign.ttl as an owl:AnnotationProperty, "
            "owl:ObjectProperty or owl:DatatypeProperty",
            severity="warning",
        )


def described_entities(corpus: Corpus) -> Iterator[Finding]:
    """An IRI of ours that is pointed at and described in no file."""
    known = corpus.described
    suspects: dict[str, bool] = {}
    for file, fact in corpus.located():
        value = fact.triple.object
        if not isinstance(value, ox.NamedNode) or not value.value.startswith(corpus.graph.base):
            continue
        iri = value.value
        if iri not in suspects:
            suspects[iri] = (
                iri not in known and not _made(corpus, iri) and not _unreadable(corpus, iri)
            )
        if suspects[iri]:
            fix = _missing(corpus, iri)
            message = f"{_show(corpus, iri)} is described in no file"
            yield _finding(corpus, "described-entities", file, fact, message, fix)


def _made(corpus: Corpus, iri: str) -> bool:
    """Whether the build makes this IRI, or another rule speaks about it."""
    about = corpus.graph
    if iri in (about.dataset.iri, about.derived_graph, about.dataset_graph, about.base):
        return True
    if iri.startswith((*corpus.graph.terms, about.vocabulary)):
        return True
    spaces = about.prefixes.namespaces
    made = [d.prefix for d in about.derived] + ["release", "graph", "mapping"]
    return iri.startswith(tuple(spaces[prefix] for prefix in made if prefix in spaces))


def _unreadable(corpus: Corpus, iri: str) -> bool:
    """Whether it belongs into a file that cannot be read, which is finding enough."""
    stems = (stem(error.file) for error in corpus.broken)
    return any(re.search(rf"[/#_]{re.escape(name)}(\.[0-9]+)?$", iri) for name in stems)


def _missing(corpus: Corpus, iri: str) -> str:
    show = corpus.graph.prefixes.show
    shown = show(iri)
    prefix = shown.partition(":")[0]
    alike = (name for name in map(show, corpus.described) if name.startswith(prefix + ":"))
    hint = did_you_mean(shown, alike)
    sources = corpus.graph.sources
    if sources and prefix == sources.prefix:
        path = f"{sources.folder}/{shown.partition(':')[2]}.ttl"
        return f"{hint} or write {path} (`neuromodkg mint source ...`)".removeprefix(" or ").strip()
    return hint or "describe it in the file it belongs to, or mend the name"


def derived_entities(corpus: Corpus) -> Iterator[Finding]:
    """An IRI that a rule makes, of parts that do not exist or are of another kind."""
    spaces = corpus.graph.prefixes.namespaces
    told: set[tuple[str, str]] = set()
    for rule in corpus.graph.derived:
        space = spaces.get(rule.prefix, "\0")
        for file, fact in corpus.located():
            value = fact.triple.object
            if not isinstance(value, ox.NamedNode) or not value.value.startswith(space):
                continue
            if value.value in corpus.described or (value.value, file.path) in told:
                continue
            told.add((value.value, file.path))
            local = value.value.removeprefix(space)
            for message, fix in _wrong_parts(corpus, rule, local):
                shown = f"{rule.prefix}:{local} {message}"
                yield _finding(corpus, "derived-entities", file, fact, shown, fix)


def _wrong_parts(corpus: Corpus, rule: Derived, local: str) -> Iterator[tuple[str, str]]:
    match = rule.regex.fullmatch(local)
    if not match:
        yield "is not of the form that the rules make", f"expected {rule.pattern}"
        return
    for part, piece in zip(rule.parts, match.groups(), strict=False):
        iri = part.namespace + piece
        wanted = _show(corpus, part.of_class)
        if iri not in corpus.described:
            yield f"names {_show(corpus, iri)}, which no file describes", "mend the number"
        elif not corpus.is_a(iri, part.of_class):
            yield f"names {_show(corpus, iri)}, which is no {wanted}", "mend the number"


def _show(corpus: Corpus, iri: str) -> str:
    return corpus.graph.prefixes.show(iri)


def _finding(
    corpus: Corpus,
    rule: str,
    file: File,
    fact: Located,
    message: str,
    fix: str,
    severity: Severity = "violation",
) -> Finding:
    subject = fact.triple.subject
    focus = _show(corpus, subject.value) if isinstance(subject, ox.NamedNode) else ""
    return Finding(severity, rule, file.path, fact.line, focus, message, fix)
