"""The page of any IRI: which panels it has is told by its classes ([[views]] of the settings)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from pyoxigraph import NamedNode

from publisher import queries, resource
from publisher.errors import NotFound
from publisher.protocol import versions
from publisher.protocol.values import Reply, Request, Site
from publisher.resource import Link, Linker, Property, ResourceView
from publisher.screens import panels
from publisher.screens.changes import release_page
from publisher.screens.course import Notice
from publisher.screens.desk import Desk, asked_pages, desk_of, page, shell
from publisher.screens.documents import dataset_page
from publisher.screens.pair import ends_of, map_panel, pair_page
from publisher.screens.panels import Asked, Panel
from publisher.screens.shapes import catalogue, shape_page
from publisher.screens.standing import place, points, standing
from publisher.screens.surroundings import (
    alternates,
    citation,
    crumbs,
    data_of,
    neighbourhood,
    pointing,
)
from publisher.screens.vocabulary import vocabulary_page
from publisher.screens.work import Subject, shortened

_DEPRECATED = "http://www.w3.org/2002/07/owl#deprecated"
_TOPIC = "http://xmlns.com/foaf/0.1/primaryTopic"
_PART_OF = "http://purl.org/dc/terms/isPartOf"
_REPLACED = "http://purl.org/dc/terms/isReplacedBy"


def render_resource(site: Site, request: Request, iri: str) -> Reply:
    """The page of an IRI that the release says something of."""
    desk = desk_of(site)
    vocabulary = str(desk.settings.get("vocabulary", ""))
    if iri == vocabulary:
        return vocabulary_page(desk, request)
    if iri.startswith(vocabulary + "/"):
        return vocabulary_version(desk, request, iri, iri.removeprefix(vocabulary + "/"))
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
    ends = ends_of(desk, found) if known.get("kind") == "pair" else None
    if ends is not None:
        return pair_page(desk, request, found, *ends)
    return entity_page(desk, request, found, known)


def vocabulary_version(desk: Desk, request: Request, iri: str, version: str) -> Reply:
    """The vocabulary as a release has it: the current one's page, else an earlier one's files."""
    if version == desk.site.release:
        return vocabulary_page(desk, request)
    if version not in versions.known(desk.site):
        raise NotFound("nothing is known at this address", where=iri)
    return release_page(desk, request, version, vocabulary=iri)


def view_of(desk: Desk, found: ResourceView) -> Mapping[str, Any]:
    """The first view whose class the thing has, directly or by inheritance."""
    classes = {link.iri for link in found.types}
    for one in tuple(classes):
        classes |= desk.superclasses(one)
    for known in desk.settings.get("views", []):
        if desk.iri(known["class"]) in classes:
            return dict(known)
    return {}


@dataclass(frozen=True)
class Intro:
    """What stands above the panels."""

    kind: str
    badges: tuple[Link, ...]
    lead: tuple[Link, ...]
    notes: tuple[tuple[str, Link], ...]
    facts: tuple[Property, ...]
    notices: tuple[Notice, ...]
    retired: bool
    replaced: tuple[Link, ...]


def entity_page(
    desk: Desk, request: Request, found: ResourceView, known: Mapping[str, Any]
) -> Reply:
    """A page with the panels of its view, every statement, and what points here."""
    linker = desk.linker(request)
    pages = asked_pages(request)
    subject = Subject({"this": NamedNode(found.iri)}, pages, found)
    beside = [make(desk, linker, found, name, subject) for name in known.get("aside", ())]
    shown = [make(desk, linker, found, name, subject) for name in known.get("panels", ())]
    intro = introduce(desk, linker, found, known)
    near = pointing(desk, linker, found.iri, max(1, pages.get("in", 1)))
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
        aside=[panel for panel in beside if panel.content],
        panels=[panel for panel in shown if panel.content],
        missing=[panel for panel in shown if not panel.content],
        picture=neighbourhood(found, near),
        citation=citation(desk, found),
        curie=desk.compact(found.iri),
        stance=stance_of(desk, found),
        on_map=on_map(desk, request, found, known),
        question=next((q for q in desk.index.fact("queries") if q["query"] == found.iri), None),
        standing=standing(desk, linker, found) if "map" in known.get("panels", ()) else None,
        place=place(desk, linker, found, known),
        points=points(desk, linker, found, known),
        opposed=next((p for p in shown if p.name == known.get("opposed")), None),
        pointing=near,
    )


def stance_of(desk: Desk, found: ResourceView) -> Any:
    """The stance that a statement takes; None when it takes none."""
    values = (v.iri for p in found.properties for v in p.values)
    return next((desk.stances[iri] for iri in values if iri in desk.stances), None)


def on_map(desk: Desk, request: Request, found: ResourceView, known: Mapping[str, Any]) -> str:
    """The map as far as it is about this thing; empty when the settings name no filter."""
    name = str(known.get("filter", ""))
    if not name:
        return ""
    return f"{request.prefix}/matrix?{urlencode({name: desk.compact(found.iri)})}"


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
    spoken = {desk.iri(curie): str(word) for curie, word in desk.table("facts").items()}
    facts = tuple(
        Property(
            replace(by_iri[iri].predicate, text=spoken.get(iri, by_iri[iri].predicate.text)),
            tuple(shortened(desk, v) for v in by_iri[iri].values),
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
) -> tuple[Notice, ...]:
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
        return map_panel(desk, linker, found, max(1, subject.pages.get("map", 1)))
    return panels.make(desk, linker, name, subject)


def names_panel(desk: Desk, found: ResourceView) -> Panel:
    """Other names, by kind of name."""
    known = desk.table("names")
    rows = [
        (word, values) for curie, word in known.items() if (values := found.values(desk.iri(curie)))
    ]
    asked = said_of(desk, found, list(known), sum(len(values) for _, values in rows))
    return Panel("names", "names", "Names", asked, content=rows)


def mappings_panel(desk: Desk, found: ResourceView) -> Panel:
    """Terms of other vocabularies, the nearest match first."""
    known = desk.table("mappings")
    rows = [
        (word, value, desk.compact(value.iri))
        for curie, word in known.items()
        for value in found.values(desk.iri(curie))
    ]
    asked = said_of(desk, found, list(known), len(rows))
    return Panel("mappings", "mappings", "In other vocabularies", asked, content=rows)


def said_of(desk: Desk, found: ResourceView, curies: Sequence[str], rows: int) -> Asked:
    """The query for the values of some properties of the page's subject."""
    text = (
        f"SELECT ?property ?value\nWHERE {{\n  {NamedNode(found.iri)} ?property ?value .\n"
        f"  VALUES ?property {{ {' '.join(curies)} }}\n}}"
    )
    return Asked(queries.with_prefixes(text, desk.site.names.prefixes.namespaces), rows, False)


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
