"""`/ontology`: every term of the vocabulary on one page, with its constraints and its uses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from publisher.protocol.values import Reply, Request
from publisher.resource import Link, Linker
from publisher.screens.desk import Desk, page, shell

_SECTIONS = (
    ("classes", "Classes", ("owl:Class",)),
    ("object-properties", "Properties that link things", ("owl:ObjectProperty",)),
    ("value-properties", "Properties with a value", ("owl:DatatypeProperty",)),
    ("annotations", "Annotations", ("owl:AnnotationProperty",)),
)
_ROWS = (
    ("rdfs:subClassOf", "is a"),
    ("rdfs:subPropertyOf", "is a"),
    ("rdfs:domain", "said of"),
    ("rdfs:range", "value is"),
    ("owl:inverseOf", "inverse of"),
    ("owl:disjointWith", "never also"),
    ("skos:exactMatch", "same as"),
    ("skos:closeMatch", "close to"),
    ("skos:broadMatch", "narrower than"),
    ("rdfs:seeAlso", "see also"),
    ("skos:example", "example"),
    ("nmo:rank", "rank"),
)


@dataclass(frozen=True)
class Term:
    """One term and what is said of it."""

    link: Link
    anchor: str
    curie: str
    definition: str
    rows: tuple[tuple[str, tuple[Link, ...]], ...]
    narrower: tuple[Link, ...] = ()
    used_by: tuple[Link, ...] = ()
    values_of: tuple[Link, ...] = ()
    rules: tuple[str, ...] = ()
    codes: tuple["Term", ...] = field(default_factory=tuple)
    uses: int = 0


@dataclass(frozen=True)
class Section:
    """One kind of terms."""

    anchor: str
    title: str
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Said:
    """What the release says of its vocabulary: term → property → values."""

    values: Mapping[str, Mapping[str, tuple[str, ...]]]
    rules: Mapping[str, tuple[str, ...]]

    def of(self, term: str, predicate: str) -> tuple[str, ...]:
        """The values of one property of a term."""
        return self.values.get(term, {}).get(predicate, ())


def vocabulary_page(desk: Desk, request: Request) -> Reply:
    """The page; made once for each mount and kept as long as the release is served."""
    iri = str(desk.settings.get("vocabulary", ""))
    linker = desk.linker(request)
    made: dict[str, tuple[Section, ...]] = desk.site.shelf.setdefault("vocabulary", {})
    if request.prefix not in made:
        made[request.prefix] = sections(desk, linker)
    name = request.path.rsplit("/", 1)[-1].removesuffix(".html")
    forms = [
        ("text/turtle", "ttl"),
        ("application/rdf+xml", "rdf"),
        ("application/ld+json", "jsonld"),
    ]
    said = {p.value: o for _, p, o in desk.site.engine.lookup(iri)}
    frame = shell(
        desk,
        request,
        linker.link(iri).text,
        description="Classes, properties and codes, with examples and constraints.",
        canonical=iri,
        alternates=[
            {"rel": "alternate", "type": kind, "href": f"{name}.{suffix}", "name": suffix}
            for kind, suffix in forms
        ],
    )
    text = {
        str(k).rsplit("/", 1)[-1].rsplit("#", 1)[-1]: getattr(v, "value", "")
        for k, v in said.items()
    }
    prefix = next((p for p, n in desk.site.names.prefixes.pairs if n == iri + "#"), "")
    return page(
        desk,
        request,
        "vocabulary.html",
        frame,
        iri=iri,
        prefix=prefix,
        said=text,
        licences=licences(desk),
        sections=made[request.prefix],
    )


def licences(desk: Desk) -> dict[str, str]:
    """The licence by its name, where the settings give one."""
    known = desk.table("dataset")
    return {str(known["licence"]): str(known["licence_name"])} if "licence_name" in known else {}


def read(desk: Desk) -> Said:
    """Facts that the build kept: two queries."""
    values: dict[str, dict[str, list[str]]] = {}
    for row in desk.index.fact("vocabulary"):
        values.setdefault(row["term"], {}).setdefault(row["property"], []).append(row["value"])
    rules: dict[str, list[str]] = {}
    for row in desk.index.fact("constraints"):
        rules.setdefault(row["term"], []).append(f"{row['on']}: {row['message']}")
    return Said(
        {t: {p: tuple(v) for p, v in found.items()} for t, found in values.items()},
        {t: tuple(dict.fromkeys(found)) for t, found in rules.items()},
    )


def sections(desk: Desk, linker: Linker) -> tuple[Section, ...]:
    """All terms by kind, in the order of their labels."""
    said = read(desk)
    type_of, sub = desk.iri("rdf:type"), desk.iri("rdfs:subClassOf")
    base = tuple(desk.settings.get("terms", ()))
    own = [t for t in said.values if t.startswith(tuple(desk.iri(b) for b in base))]
    below: dict[str, list[str]] = {}
    members: dict[str, list[str]] = {}
    domains: dict[str, list[str]] = {}
    ranges: dict[str, list[str]] = {}
    for term in own:
        for parent in said.of(term, sub):
            below.setdefault(parent, []).append(term)
        for kind in said.of(term, type_of):
            members.setdefault(kind, []).append(term)
        for name, found in (("rdfs:domain", domains), ("rdfs:range", ranges)):
            for value in said.of(term, desk.iri(name)):
                found.setdefault(value, []).append(term)
    wanted = {
        v for found in said.values.values() for vs in found.values() for v in vs if "://" in v
    }
    links = linker.iris({*own, *wanted})

    def listed(iris: Iterable[str]) -> tuple[Link, ...]:
        return tuple(sorted((links[i] for i in iris), key=lambda link: link.text.lower()))

    def make(term: str, codes: bool = True) -> Term:
        rows = []
        for curie, word in _ROWS:
            values = said.of(term, desk.iri(curie))
            if values:
                rows.append((word, tuple(links[v] if v in links else Link(v) for v in values)))
        definition = next(iter(said.of(term, desk.iri("skos:definition"))), "")
        return Term(
            links[term],
            term.rpartition("#")[2],
            desk.compact(term),
            definition,
            tuple(rows),
            listed(below.get(term, ())),
            listed(domains.get(term, ())),
            listed(ranges.get(term, ())),
            said.rules.get(term, ()),
            tuple(make(m, codes=False) for m in sorted(members.get(term, ()))) if codes else (),
            desk.index.sizes.get(term, 0),
        )

    made = []
    for anchor, title, kinds in _SECTIONS:
        terms = {t for kind in kinds for t in members.get(desk.iri(kind), ())}
        ordered = sorted(terms, key=lambda t: links[t].text.lower())
        made.append(Section(anchor, title, tuple(make(t) for t in ordered)))
    return tuple(section for section in made if section.terms)
