"""The page of any IRI: which panels it has is told by its classes ([[views]] of the settings)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pyoxigraph import NamedNode

from publisher import jsonld, matrix, resource
from publisher.errors import BadRequest, NotFound
from publisher.formats import GRAPHS
from publisher.matrix import Cell as MapCell
from publisher.matrix import Finding
from publisher.pages import svg
from publisher.protocol.values import Reply, Request, Site
from publisher.resource import Link, Linker, Property, ResourceView
from publisher.screens import panels
from publisher.screens.desk import Desk, desk_of, page, shell
from publisher.screens.documents import dataset_page
from publisher.screens.panels import Panel, Subject
from publisher.screens.shapes import catalogue, shape_page
from publisher.screens.vocabulary import vocabulary_page

INCOMING = 40
MOST_TRIPLES = 400  # of a page's JSON-LD block
_DEPRECATED = "http://www.w3.org/2002/07/owl#deprecated"
_TOPIC = "http://xmlns.com/foaf/0.1/primaryTopic"
_PART_OF = "http://purl.org/dc/terms/isPartOf"
_REPLACED = "http://purl.org/dc/terms/isReplacedBy"


def render_resource(site: Site, request: Request, iri: str) -> Reply:
    """The page of an IRI that the release says something of."""
    desk = desk_of(site)
    vocabulary = str(desk.settings.get("vocabulary", ""))
    if iri == vocabulary or iri.startswith(vocabulary + "/"):
        return vocabulary_page(desk, request)
    if iri == desk.table("dataset").get("iri"):
        return dataset_page(desk, request)
    linker = desk.linker(request)
    found = resource.read(site.engine, linker, iri)
    if site.is_graph(iri):
        return graph_page(desk, request, iri, found)
    if iri in catalogue(site).shapes:
        return shape_page(desk, request, iri)
    if found is None:
        raise NotFound("nothing is known at this address", where=iri)
    known = view_of(desk, found)
    if known.get("kind") == "pair":
        ends = [
            found.values(desk.iri(str(desk.table("matrix")[f"{axis}_property"]))) for axis in AXES
        ]
        if all(ends):
            return pair_page(desk, request, found, ends[0][0].iri, ends[1][0].iri)
    return entity_page(desk, request, found, known)


AXES = ("row", "column")


def view_of(desk: Desk, found: ResourceView) -> Mapping[str, Any]:
    """The first view whose class the thing has, directly or by inheritance."""
    classes = {link.iri for link in found.types}
    for one in tuple(classes):
        classes |= superclasses(desk, one)
    for known in desk.settings.get("views", []):
        if desk.iri(known["class"]) in classes:
            return dict(known)
    return {}


def superclasses(desk: Desk, iri: str) -> frozenset[str]:
    """Every class above a class."""
    parents: dict[str, list[str]] = desk.site.shelf.setdefault("class-parents", {})
    if not parents:
        for row in desk.index.fact("class-parents"):
            parents.setdefault(row["child"], []).append(row["parent"])
    reached: set[str] = set()
    ahead = [iri]
    while ahead:
        for parent in parents.get(ahead.pop(), ()):
            if parent not in reached:
                reached.add(parent)
                ahead.append(parent)
    return frozenset(reached)


@dataclass(frozen=True)
class Intro:
    """What stands above the panels."""

    kind: str
    badges: tuple[Link, ...]
    lead: tuple[Link, ...]
    notes: tuple[tuple[str, Link], ...]
    facts: tuple[Property, ...]
    notices: tuple[panels.Notice, ...]
    retired: bool
    replaced: tuple[Link, ...]


def entity_page(
    desk: Desk, request: Request, found: ResourceView, known: Mapping[str, Any]
) -> Reply:
    """A page with the panels of its view, every statement, and what points here."""
    linker = desk.linker(request)
    subject = Subject({"this": NamedNode(found.iri)}, asked_pages(request), found)
    shown = [make(desk, linker, found, name, subject) for name in known.get("panels", ())]
    intro = introduce(desk, linker, found, known)
    frame = shell(
        desk,
        request,
        title(found),
        description=intro.lead[0].text[:200] if intro.lead else found.label,
        canonical=found.iri,
        alternates=alternates(found.iri),
        data=data_of(desk, found),
        crumbs=crumbs(desk, request, found),
    )
    return page(
        desk,
        request,
        "entity.html",
        frame,
        status=410 if intro.retired else 200,
        view=found,
        intro=intro,
        style=str(known.get("kind", "concept")),
        panels=[panel for panel in shown if panel.content],
        missing=[panel for panel in shown if not panel.content],
        picture=neighbourhood(found, linker, desk),
        citation=citation(desk, found),
        curie=desk.compact(found.iri),
        stance=next(
            (
                desk.stances[v.iri]
                for p in found.properties
                for v in p.values
                if v.iri in desk.stances
            ),
            None,
        ),
        pointing=pointing(desk, request, found.iri),
    )


def asked_pages(request: Request) -> dict[str, int]:
    """Which page of which panel is asked for: `?therapy-harms=2`."""
    return {
        name: int(value) for name, value in request.arguments if value.isdigit() and len(value) < 6
    }


def title(found: ResourceView) -> str:
    """Short enough for a tab; a statement's own text stands on the page."""
    return found.label if len(found.label) <= 90 else found.label[:88].rstrip() + "…"


def introduce(desk: Desk, linker: Linker, found: ResourceView, known: Mapping[str, Any]) -> Intro:
    """Definition, notes, the facts of the view, and what must be known first."""
    texts = desk.table("texts")
    lead = next((v for c in texts.get("lead", []) if (v := found.values(desk.iri(c)))), ())
    notes = [
        (linker.link(desk.iri(c)).text, value)
        for c in texts.get("notes", [])
        for value in found.values(desk.iri(c))
    ]
    wanted = desk.iris(known.get("facts", []))
    by_iri = {p.predicate.iri: p for p in found.properties}
    facts = tuple(
        Property(
            by_iri[iri].predicate, tuple(panels.shortened(desk, v) for v in by_iri[iri].values)
        )
        for iri in wanted
        if iri in by_iri
    )
    return Intro(
        kind=linker.link(found.kind).text if found.kind else "",
        badges=tuple(t for t in found.types if t.iri != found.kind and not t.foreign),
        lead=lead,
        notes=tuple(notes),
        facts=facts,
        notices=notices(desk, linker, found, known),
        retired=found.first(_DEPRECATED) == "yes",
        replaced=found.values(_REPLACED),
    )


def notices(
    desk: Desk, linker: Linker, found: ResourceView, known: Mapping[str, Any]
) -> tuple[panels.Notice, ...]:
    """The flags of the source that a statement stands in."""
    followed = known.get("flags")
    if not followed:
        return ()
    shown = []
    for source in found.values(desk.iri(str(followed))):
        terms = {"this": NamedNode(source.iri)}
        panel = panels.make(desk, linker, "source-flags", Subject(terms))
        shown += [n for n in panel.content or () if n.flag.grave]
    return tuple(shown)


def make(desk: Desk, linker: Linker, found: ResourceView, name: str, subject: Subject) -> Panel:
    """A panel that a query fills, or one that the page's own statements fill."""
    if name == "names":
        return names_panel(desk, found)
    if name == "mappings":
        return mappings_panel(desk, found)
    if name == "map":
        return map_panel(desk, linker, found, subject.pages.get("map", 1))
    return panels.make(desk, linker, name, subject)


def names_panel(desk: Desk, found: ResourceView) -> Panel:
    """Other names, by kind of name."""
    rows = [
        (word, found.values(desk.iri(curie)))
        for curie, word in desk.table("names").items()
        if found.values(desk.iri(curie))
    ]
    return Panel("names", "names", "Names", content=rows)


def mappings_panel(desk: Desk, found: ResourceView) -> Panel:
    """Terms of other vocabularies, the nearest match first."""
    rows = [
        (word, value, desk.compact(value.iri))
        for curie, word in desk.table("mappings").items()
        for value in found.values(desk.iri(curie))
    ]
    return Panel("mappings", "mappings", "In other vocabularies", content=rows)


@dataclass(frozen=True)
class MapRow:
    """One pair of the map, seen from one of its ends."""

    other: Link
    href: str
    group: str
    cell: MapCell
    best: str


def map_panel(desk: Desk, linker: Linker, found: ResourceView, at: int) -> Panel:
    """Where a thing stands on the evidence map: everything it is paired with."""
    facts = desk.facts
    is_row = desk.iri(str(desk.table("matrix").get("row_class", ""))) in {
        link.iri for link in found.types
    }
    gathered: dict[str, list[Finding]] = {}
    for finding in facts.findings:
        mine, other = (finding.row, finding.column) if is_row else (finding.column, finding.row)
        if found.iri in facts.above(mine):
            gathered.setdefault(other, []).append(finding)
    links = linker.iris(
        {*gathered, *(d for fs in gathered.values() for d in (f.design for f in fs))}
        | {g for other in gathered for g in facts.groups.get(other, ())}
    )
    rows = []
    for other, findings in gathered.items():
        pair = (found.iri, other) if is_row else (other, found.iri)
        cell = matrix.gather(pair, findings, facts.ranks)
        group = ", ".join(links[g].text for g in facts.groups.get(other, ()))
        rows.append(
            MapRow(links[other], pair_path(linker, *pair), group, cell, links[cell.best].text)
        )
    rows.sort(key=lambda r: (-r.cell.study_count - r.cell.synthesis_count, r.other.text))
    part = rows[(at - 1) * panels.ROWS : at * panels.ROWS]
    pages = max(1, -(-len(rows) // panels.ROWS))
    return Panel("map", "map", "On the evidence map", content=part, page=at, pages=pages)


def pair_path(linker: Linker, row: str, column: str) -> str:
    """The page of a pair, whether or not anybody has claimed something on it."""
    names = linker.names.prefixes
    query = (
        f"row={quote(names.compact(row) or row)}&column={quote(names.compact(column) or column)}"
    )
    return f"{linker.prefix}/pair?{query}"


# a pair: everything on one therapy-like and one condition-like thing


def pair(site: Site, request: Request) -> Reply:
    """`/pair?row=&column=`: the page of a pair; the proposition's own page where there is one."""
    desk = desk_of(site)
    ends = [
        site.names.prefixes.expand(request.argument(axis)) or request.argument(axis)
        for axis in AXES
    ]
    if not all(ends):
        raise BadRequest("a pair has two ends", fix="ask /pair?row=…&column=…")
    linker = desk.linker(request)
    proposition = proposition_of(desk, *ends)
    found = resource.read(site.engine, linker, proposition) if proposition else None
    if found is not None and found.properties:
        return Reply(303, (("location", linker.link(proposition).href), ("vary", "Accept")))
    known = desk.index.known(ends)
    if len(known) < len(ends):
        raise NotFound("one end of this pair is not known", where=", ".join(ends))
    return pair_page(desk, request, None, *ends)


def proposition_of(desk: Desk, row: str, column: str) -> str:
    """The IRI of the pair's proposition, by the settings' pattern; empty when it cannot be made."""
    pattern = str(desk.table("matrix").get("pair", ""))
    numbers = {
        "row": row.rpartition("_")[2],
        "column": column.rpartition("_")[2],
    }
    return desk.iri(pattern.format(**numbers)) if pattern else ""


@dataclass(frozen=True)
class Summary:
    """A pair in one line: its cell, with and without what is narrower."""

    cell: MapCell
    own: MapCell
    best: str
    bars: Sequence[tuple[str, Any, str]]


def pair_page(
    desk: Desk, request: Request, found: ResourceView | None, row: str, column: str
) -> Reply:
    """Both sides of a pair, then numbers, harms, recommendations ... each with its query."""
    known = desk.table("matrix")
    linker = desk.linker(request)
    links = linker.iris([row, column])
    wording = {"row": links[row].text, "column": links[column].text}
    heading = str(known.get("pair_title", "{column}, {row}")).format(**wording)
    terms = {
        str(known.get("row", "row")): NamedNode(row),
        str(known.get("column", "column")): NamedNode(column),
    }
    subject = Subject(terms, asked_pages(request))
    view: Mapping[str, Any] = next(
        (v for v in desk.settings.get("views", []) if v.get("kind") == "pair"), {}
    )
    shown = [
        panels.make(desk, linker, n, subject) for n in view.get("panels", ()) if n != "summary"
    ]
    iri = found.iri if found else ""
    frame = shell(
        desk,
        request,
        heading[:1].upper() + heading[1:],
        description=f"What supports and what disputes {heading}, with sources.",
        canonical=iri,
        alternates=alternates(iri) if iri else (),
        data=data_of(desk, found) if found else None,
        crumbs=(("/matrix", str(known.get("title", ""))),),
    )
    return page(
        desk,
        request,
        "pair.html",
        frame,
        view=found,
        row=links[row],
        column=links[column],
        axes=(str(known.get("column", "")), str(known.get("row", ""))),
        summary=summarise(desk, linker, row, column),
        panels=[panel for panel in shown if panel.content],
        missing=[panel for panel in shown if not panel.content],
        citation=citation(desk, found) if found else "",
        curie=desk.compact(iri) if iri else "",
    )


def summarise(desk: Desk, linker: Linker, row: str, column: str) -> Summary:
    """Counts of the pair, by study."""
    facts = desk.facts
    inside = [
        f for f in facts.findings if row in facts.above(f.row) and column in facts.above(f.column)
    ]
    own = [f for f in inside if f.row == row and f.column == column]
    cell = matrix.gather((row, column), inside, facts.ranks)
    bars = []
    for word, counts in (("studies", cell.studies), ("reviews", cell.syntheses)):
        if counts:
            told = ", ".join(
                f"{counts[s.side]} {s.plural}" for s in desk.stances.values() if counts.get(s.side)
            )
            parts = [svg.Part(side, counts.get(side, 0)) for side in matrix.SIDES]
            bars.append((word, svg.bar(parts, told), told))
    best = linker.link(cell.best).text if cell.best else ""
    return Summary(cell, matrix.gather((row, column), own, facts.ranks), best, bars)


# what every page of an IRI has


def alternates(iri: str) -> list[dict[str, str]]:
    """Where the same is in other forms; relative, so that it holds on any host and mount."""
    name = iri.rsplit("/", 1)[-1]
    rows = [
        {
            "rel": "alternate",
            "type": row.media_type,
            "href": f"{name}.{row.suffix}",
            "name": row.name,
        }
        for row in GRAPHS
    ]
    typed = {"rel": "type", "href": "https://schema.org/WebPage", "type": "", "name": ""}
    return [*rows, {"rel": "cite-as", "href": iri, "type": "", "name": ""}, typed]


def data_of(desk: Desk, found: ResourceView) -> Any:
    """The page's statements as JSON-LD, but for what would make the page long."""
    short = [t for t in found.triples[:MOST_TRIPLES] if len(str(t.object)) <= resource.SHOWN_TEXT]
    return json.loads(jsonld.document(short, desk.site.wording.context))


def citation(desk: Desk, found: ResourceView) -> str:
    """How to cite the thing in this release."""
    form = str(desk.table("site").get("citation", "{release}"))
    return f"“{found.label}”, {found.iri}, in: {form.format(release=desk.site.release)}"


def crumbs(desk: Desk, request: Request, found: ResourceView) -> tuple[tuple[str, str], ...]:
    """The way back: all things of this kind."""
    if not found.kind or found.kind not in desk.kinds:
        return ()
    name = desk.linker(request).link(found.kind).text
    return ((f"/search?kind={quote(desk.compact(found.kind))}", f"{name}: all"),)


@dataclass(frozen=True)
class Pointing:
    """One page of what points here."""

    rows: tuple[tuple[Link, Link], ...]
    page: int
    more: bool


def pointing(desk: Desk, request: Request, iri: str) -> Pointing:
    """Statements whose object this is, a page at a time."""
    at = max(1, asked_pages(request).get("in", 1))
    rows = resource.incoming(
        desk.site.engine,
        desk.linker(request),
        iri,
        limit=INCOMING,
        offset=(at - 1) * INCOMING,
    )
    return Pointing(rows[:INCOMING], at, len(rows) > INCOMING)


def neighbourhood(found: ResourceView, linker: Linker, desk: Desk) -> Any:
    """A picture of what is near; the statements below it are its table twin."""
    outward = [
        svg.Neighbour(v.text, p.predicate.text, v.href, True)
        for p in found.properties
        for v in p.values
        if v.iri and p.predicate.iri != resource.RDF_TYPE
    ][:10]
    rows = resource.incoming(desk.site.engine, linker, found.iri, limit=10)
    inward = [svg.Neighbour(s.text, p.text, s.href, False) for s, p in rows[:10]]
    if not outward and not inward:
        return None
    return svg.neighbourhood(found.label, [*inward, *outward], f"Neighbours of {found.label}")


def graph_page(desk: Desk, request: Request, iri: str, found: ResourceView | None) -> Reply:
    """A named graph: what it is, and how to get it."""
    title = f"Named graph {desk.compact(iri)}"
    frame = shell(desk, request, title, canonical=iri, alternates=alternates(iri))
    count = desk.site.manifest.graphs.get(iri, 0)
    return page(
        desk,
        request,
        "graph.html",
        frame,
        iri=iri,
        count=count,
        curie=desk.compact(iri),
        topics=found.values(_TOPIC) if found else (),
        whole=found.values(_PART_OF) if found else (),
    )
