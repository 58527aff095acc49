"""Everything said about one IRI, as plain values: terms become links with labels.

A `Link` is what a reader sees of a term: its label, and an address when following it is harmless.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from publisher.engine.question import Engine, Term
from publisher.names import Names
from publisher.search import Index

RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_STRING = _XSD + "string"
_LANG_STRING = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
SHOWN_TEXT = 3000
SHOWN_VALUES = 60
_HARMLESS = ("http://", "https://", "mailto:", "ftp://")
_DATES = {"date", "gYear", "dateTime", "gYearMonth"}
_NUMBERS = {"integer", "decimal", "double", "float"}


@dataclass(frozen=True)
class Link:
    """A term as a reader sees it; `href` is empty when it is a literal or must not be followed."""

    text: str
    href: str = ""
    iri: str = ""
    kind: str = ""
    language: str = ""
    note: str = ""
    foreign: bool = False
    numeric: bool = False
    cut: int = 0  # the length of a text that is shown in part

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Property:
    """One property and its values."""

    predicate: Link
    values: tuple[Link, ...]
    more: int = 0  # how many further values the data have


@dataclass(frozen=True)
class ResourceView:
    """What the release says of one IRI."""

    iri: str
    label: str
    kind: str
    types: tuple[Link, ...]
    properties: tuple[Property, ...]
    triples: tuple[Triple, ...] = field(repr=False, default=())

    def values(self, predicate: str) -> tuple[Link, ...]:
        """The values of one property, by its IRI."""
        found = (p.values for p in self.properties if p.predicate.iri == predicate)
        return next(found, ())

    def first(self, predicate: str) -> str:
        """The text of the first value of a property; empty when there is none."""
        return next((value.text for value in self.values(predicate)), "")


@dataclass(frozen=True)
class Linker:
    """Turns terms into links; `prefix` is where the site is mounted."""

    names: Names
    index: Index
    prefix: str = ""
    # property → what stands before its values in a public address
    outward: Mapping[str, str] = field(default_factory=dict)

    def value(self, predicate: str, link: Link) -> Link:
        """A value that is an identifier, with the address that it stands for."""
        start = self.outward.get(predicate)
        if start is None or link.href or link.cut:
            return link
        return replace(link, href=start + quote(link.text, safe="/:;()-._~"), foreign=True)

    def links(self, terms: Iterable[Term]) -> dict[Term, Link]:
        """A link for every term, labels looked up at once."""
        wanted = list(dict.fromkeys(terms))
        known = self.index.known(t.value for t in wanted if isinstance(t, NamedNode))
        labels = {iri: (found.label, found.kind) for iri, found in known.items()}
        return {term: self._link(term, labels) for term in wanted}

    def unnamed(self, terms: Iterable[Term]) -> dict[Term, Link]:
        """Links for terms that are led to and not called by name: no label is looked up."""
        return {term: self._link(term, {}) for term in terms}

    def link(self, iri: str) -> Link:
        """The link of one IRI."""
        return self.iris([iri])[iri]

    def iris(self, iris: Iterable[str]) -> dict[str, Link]:
        """Links of IRIs."""
        wanted = list(dict.fromkeys(iris))
        known = self.index.known(wanted)
        labels = {iri: (found.label, found.kind) for iri, found in known.items()}
        return {iri: self._named(iri, labels) for iri in wanted}

    def _link(self, term: Term, labels: Mapping[str, tuple[str, str]]) -> Link:
        if isinstance(term, NamedNode):
            return self._named(term.value, labels)
        if isinstance(term, Literal):
            return literal(term)
        return Link("something without a name" if isinstance(term, BlankNode) else str(term))

    def _named(self, iri: str, labels: Mapping[str, tuple[str, str]]) -> Link:
        label, kind = labels.get(iri, ("", ""))
        text = label or self.names.prefixes.compact(iri) or iri
        path = self.names.path(iri)
        if path is not None:
            return Link(text, self.prefix + path, iri, kind)
        href = iri if iri.lower().startswith(_HARMLESS) else ""
        return Link(text, href, iri, kind, foreign=True)


def literal(term: Literal) -> Link:
    """A literal: booleans as words, long texts in part, language and datatype kept."""
    kind = term.datatype.value.removeprefix(_XSD)
    text = term.value
    if kind == "boolean":
        text = {"true": "yes", "1": "yes", "false": "no", "0": "no"}.get(text, text)
    length = len(text)
    plain = term.datatype.value in (_STRING, _LANG_STRING) or kind in _DATES | _NUMBERS | {
        "boolean"
    }
    return Link(
        text if length <= SHOWN_TEXT else text[:SHOWN_TEXT] + "…",
        language=term.language or "",
        note="" if plain else kind,
        numeric=kind in _NUMBERS,
        cut=length if length > SHOWN_TEXT else 0,
    )


def read(engine: Engine, linker: Linker, iri: str) -> ResourceView | None:
    """Everything whose subject is this IRI; None when the release says nothing of it."""
    triples = engine.lookup(iri)
    if not triples:
        return None
    found: dict[str, list[Term]] = {}
    for triple in triples:
        found.setdefault(triple.predicate.value, []).append(triple.object)
    terms: list[Term] = [NamedNode(iri), *(NamedNode(predicate) for predicate in found)]
    for values in found.values():
        terms += values[:SHOWN_VALUES]
    links = linker.links(terms)
    properties = tuple(
        Property(
            links[NamedNode(p)],
            tuple(sorted((linker.value(p, links[v]) for v in values[:SHOWN_VALUES]), key=_order)),
            max(0, len(values) - SHOWN_VALUES),
        )
        for p, values in sorted(
            found.items(), key=lambda pair: links[NamedNode(pair[0])].text.lower()
        )
    )
    own = links[NamedNode(iri)]
    types = next((p.values for p in properties if p.predicate.iri == RDF_TYPE), ())
    return ResourceView(iri, own.text, own.kind, types, properties, tuple(triples))


def _order(link: Link) -> tuple[bool, str, str]:
    return (not link.iri, link.text.lower(), link.language)


def incoming(
    engine: Engine, linker: Linker, iri: str, *, limit: int, offset: int = 0
) -> tuple[tuple[Link, Link], ...]:
    """One page of (subject, property) of the statements that point here; one more than `limit`."""
    query = f"SELECT ?s ?p WHERE {{ ?s ?p {NamedNode(iri)} }}"
    rows = engine.select(f"{query} LIMIT {limit + 1} OFFSET {offset}")
    links = linker.links(term for row in rows for term in row.values())
    return tuple((links[row["s"]], links[row["p"]]) for row in rows)
