"""Names as they are typed ("Suggest Services"), and small views of things ("Preview Service")."""

from collections.abc import Iterator
from typing import Any

from markupsafe import escape

from publisher.engine.question import Term
from publisher.errors import NotFound
from publisher.pages import render
from publisher.protocol.delivery import SECURITY
from publisher.protocol.values import Reply, Request, Site
from publisher.resource import Link
from publisher.screens.desk import CACHE, HTML, Desk, desk_of, shell
from publisher.screens.reconcile.candidates import by_identifier, describe
from publisher.screens.reconcile.identity import answer, id_of, named, wanted
from publisher.search.words import fold

PAGE = 10
PREVIEW_WIDTH, PREVIEW_HEIGHT = 400, 220
MOST = 5000
WHAT = ("entity", "type", "property")
_KINDS = {
    "type": ("owl:Class", "rdfs:Class"),
    "property": (
        "owl:ObjectProperty",
        "owl:DatatypeProperty",
        "owl:AnnotationProperty",
        "rdf:Property",
    ),
}


def suggest(site: Site, request: Request, what: str) -> Reply:
    """`?prefix=&cursor=`: things, types or properties whose name begins so."""
    desk = desk_of(site)
    if what not in WHAT:
        raise NotFound("nothing of this sort is suggested", where=what, fix=" or ".join(WHAT))
    prefix = request.argument("prefix").strip()
    skipped = request.number("cursor", 0, 99_999)
    if what == "entity":
        return answer({"result": entities(desk, prefix, skipped)})
    found = list(_terms(desk, what, prefix))
    return answer({"result": found[skipped : skipped + PAGE]})


def entities(desk: Desk, prefix: str, skipped: int) -> list[dict[str, Any]]:
    """Things, by any of their names."""
    hits = desk.index.find(prefix, limit=PAGE, offset=skipped).hits
    itself = None if skipped else by_identifier(desk, prefix)
    if itself is not None:
        hits = (itself, *(hit for hit in hits if hit.iri != itself.iri))[:PAGE]
    names = desk.index.known(hit.kind for hit in hits)
    return [
        {
            "id": id_of(desk, hit.iri),
            "name": hit.label,
            "description": describe(hit, names),
            "notable": [named(desk, hit.kind, names)] if hit.kind else [],
        }
        for hit in hits
    ]


def _terms(desk: Desk, what: str, prefix: str) -> Iterator[dict[str, Any]]:
    """Classes or properties: those first that begin so, then those that have it inside."""
    rows = [r for kind in _KINDS[what] for r in desk.index.of_kind(desk.iri(kind), MOST)]
    form = fold(prefix)
    found = []
    for iri, label in dict(rows).items():
        curie = desk.compact(iri)
        shown = fold(label)
        if prefix in ("", iri) or curie.lower().startswith(prefix.lower()) or form in shown:
            first = shown.startswith(form) or curie.lower().startswith(prefix.lower())
            found.append((not first, label.lower(), curie, iri))
    for _, _, curie, iri in sorted(found):
        term: dict[str, Any] = {"id": curie, "name": dict(rows)[iri], "description": iri}
        parents = [p for p in desk.parents(iri) if p != iri] if what == "type" else []
        yield {**term, "broader": [named(desk, p) for p in parents]} if parents else term


# one thing


def flyout(site: Site, request: Request, what: str) -> Reply:
    """`?id=`: a little HTML to show beside a suggestion."""
    if what not in WHAT:
        raise NotFound("nothing of this sort is suggested", where=what, fix=" or ".join(WHAT))
    desk = desk_of(site)
    name, iri = wanted(desk, request)
    link, kind, lead = _told(desk, request, iri)
    text = f"<p>{escape(lead.text[:400])}</p>" if lead else ""
    head = f"<strong>{escape(link.text)}</strong> {escape(kind)} <code>{escape(name)}</code>"
    return answer({"id": name, "html": f"<p>{head}</p>{text}"})


def _told(desk: Desk, request: Request, iri: str) -> tuple[Link, str, Link | None]:
    """Name, kind, and the first text that says what it is."""
    linker = desk.linker(request)
    link = linker.link(iri)
    said: dict[str, Term] = {}
    for triple in desk.site.engine.lookup(iri):
        said.setdefault(triple.predicate.value, triple.object)
    leads = [desk.iri(c) for c in desk.table("texts").get("lead", ["skos:definition"])]
    term = next((said[p] for p in leads if p in said), None)
    lead = linker.links([term])[term] if term is not None else None
    return link, linker.link(link.kind).text if link.kind else "", lead


def preview(site: Site, request: Request) -> Reply:
    """`?id=`: a page that is shown inside another one, of whatever site."""
    desk = desk_of(site)
    _, iri = wanted(desk, request)
    link, kind, lead = _told(desk, request, iri)
    body = render(
        "preview.html",
        shell(desk, request, link.text),
        link=link,
        href=request.base_url + link.href.removeprefix(request.prefix) if link.href else "",
        kind=kind,
        lead=lead.text[:400] if lead else "",
        curie=desk.compact(iri),
    )
    policy = dict(SECURITY)["content-security-policy"]
    return Reply(
        200,
        (
            ("content-type", HTML),
            (
                "content-security-policy",
                policy.replace("frame-ancestors 'none'", "frame-ancestors *"),
            ),
            ("etag", site.etag("preview", iri, request.base_url)),
            ("cache-control", CACHE),
        ),
        body,
    )


def view(site: Site, request: Request) -> Reply:
    """`?id=`: the way to the page of a thing."""
    desk = desk_of(site)
    _, iri = wanted(desk, request)
    href = desk.linker(request).link(iri).href
    if not href:
        raise NotFound("there is no page of it", where=iri)
    return Reply(303, (("location", href), ("cache-control", "public, max-age=60")))
