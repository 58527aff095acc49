"""What every page of an IRI has: other forms, data block, citation, the way back, what is near."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from publisher import jsonld, resource
from publisher.formats import GRAPHS
from publisher.pages import svg
from publisher.protocol.values import Request
from publisher.resource import Link, Linker, ResourceView
from publisher.screens.desk import Desk

INCOMING = 40
NEIGHBOURS = 10  # on each side of the picture
MOST_TRIPLES = 400  # of a page's JSON-LD block
_NAMES = {
    "turtle": "Turtle",
    "ntriples": "N-Triples",
    "rdfxml": "RDF/XML",
    "jsonld": "JSON-LD",
    "nquads": "N-Quads",
    "trig": "TriG",
}


def alternates(iri: str) -> list[dict[str, str]]:
    """Where the same is in other forms; relative, so that it holds on any host and mount."""
    name = iri.rsplit("/", 1)[-1]
    rows = [
        {
            "rel": "alternate",
            "type": row.media_type,
            "href": f"{name}.{row.suffix}",
            "name": _NAMES.get(row.name, row.name),
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
    curie = desk.compact(found.kind)
    plural = desk.table("plurals").get(curie) or desk.linker(request).link(found.kind).text
    return ((f"/search?kind={quote(curie)}", f"All {plural}"),)


@dataclass(frozen=True)
class Pointing:
    """One page of what points here."""

    rows: tuple[tuple[Link, Link], ...]
    page: int
    more: bool


def pointing(desk: Desk, linker: Linker, iri: str, page: int) -> Pointing:
    """Statements whose object this is, a page at a time."""
    rows = resource.incoming(
        desk.site.engine, linker, iri, limit=INCOMING, offset=(page - 1) * INCOMING
    )
    return Pointing(rows[:INCOMING], page, len(rows) > INCOMING)


def neighbourhood(found: ResourceView, near: Pointing) -> Any:
    """A picture of what is near; the statements beside it are its table twin."""
    outward = [
        svg.Neighbour(v.text, p.predicate.text, v.href, True)
        for p in found.properties
        for v in p.values
        if v.iri and p.predicate.iri != resource.RDF_TYPE
    ]
    inward = [svg.Neighbour(s.text, p.text, s.href, False) for s, p in near.rows]
    if not outward and not inward:
        return None
    shown = [*inward[:NEIGHBOURS], *outward[:NEIGHBOURS]]
    return svg.neighbourhood(found.label, shown, f"Neighbours of {found.label}")
