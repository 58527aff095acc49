"""`/search` and `/autocomplete`: entities by name, abbreviation or identifier."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from publisher.formats import HTML, Format, negotiate
from publisher.matrix import Cell
from publisher.protocol.values import Reply, Request, Site
from publisher.resource import Link
from publisher.screens.desk import CACHE, Desk, asked_page, desk_of, last_page, page, shell
from publisher.screens.pair import cell_of, pairs_of
from publisher.search import Found, Hit

PAGE = 20
SUGGESTIONS = 10
MOST = 100
BRIEF = 180  # letters of what a hit is
JSON = Format("hits", "application/json", "json", "page")


@dataclass(frozen=True)
class Kind:
    """A kind as a choice of the form."""

    value: str
    word: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Shown:
    """A hit as the page shows it."""

    link: Link
    kind: str
    curie: str
    matched: str = ""
    sort: str = ""
    retired: bool = False
    text: str = ""
    cell: Cell | None = None  # of a pair: which way its studies point


def search(site: Site, request: Request) -> Reply:
    """`?q=&kind=&page=` as a page or JSON; without words, all things of the kind."""
    desk = desk_of(site)
    text = request.argument("q").strip()
    kind = desk.iri(request.argument("kind").strip())
    at = asked_page(request)
    choice = negotiate(request.accept, (HTML, JSON))
    if (choice and choice.format is JSON) or request.argument("format") == "json":
        return as_json(desk, request, text, kind)
    kinds = (kind,) if kind else ()
    found = desk.index.find(text, kinds=kinds, limit=PAGE, offset=(at - 1) * PAGE) if text else None
    if found and at > (last := last_page(found.total, PAGE)):
        at = last
        found = desk.index.find(text, kinds=kinds, limit=PAGE, offset=(at - 1) * PAGE)
    listed = None
    if not text and kind:
        at = min(at, last_page(desk.index.sizes.get(kind, 0), PAGE))
        listed = desk.index.of_kind(kind, PAGE, (at - 1) * PAGE)
    return as_page(desk, request, text, kind, at, found, listed)


def as_page(
    desk: Desk,
    request: Request,
    text: str,
    kind: str,
    at: int,
    found: Found | None,
    listed: Sequence[tuple[str, str]] | None,
) -> Reply:
    """The form, the hits, and the kinds among them."""
    total = found.total if found else desk.index.sizes.get(kind, 0) if listed is not None else 0
    linker = desk.linker(request)
    words = linker.iris(desk.kinds)
    hits = found.hits if found else ()
    if listed is not None:
        hits = tuple(Hit(iri, label, kind, "", "") for iri, label in listed)
    links = linker.iris(hit.iri for hit in hits)
    pairs = pairs_of(desk)

    def href(**more: Any) -> str:
        fields = {"q": text, "kind": desk.compact(kind) if kind else "", **more}
        return f"{request.prefix}/search?{urlencode({k: v for k, v in fields.items() if v})}"

    facets = [
        {"word": words[k].text, "count": n, "href": href(kind=desk.compact(k)), "chosen": k == kind}
        for k, n in sorted((found.kinds if found else {}).items(), key=lambda pair: -pair[1])
    ]
    frame = shell(
        desk,
        request,
        f"Search: {text}" if text else "Search",
        description=f"Things by name, abbreviation or identifier: {text}"[:200]
        if text
        else "Find things by their names, abbreviations and identifiers.",
    )
    return page(
        desk,
        request,
        "search.html",
        frame,
        text=text,
        found=found,
        listed=listed,
        total=total,
        chosen=words[kind].text if kind in words else "",
        kinds=[
            Kind(desk.compact(k), words[k].text, desk.index.sizes.get(k, 0), k == kind)
            for k in desk.kinds
        ],
        facets=facets if len(facets) > 1 or kind else [],
        hits=[
            Shown(
                links[h.iri],
                words[h.kind].text if h.kind in words else "",
                desk.compact(h.iri),
                h.matched if h.matched != h.label else "",
                h.sort,
                h.retired,
                _brief(h.text) if h.text != h.label else "",
                cell_of(desk, *pairs[h.iri]) if h.iri in pairs else None,
            )
            for h in hits
        ],
        start=(at - 1) * PAGE + 1,
        page=at,
        pages=last_page(total, PAGE),
        previous=href(page=at - 1),
        next=href(page=at + 1),
    )


def as_json(desk: Desk, request: Request, text: str, kind: str) -> Reply:
    """`limit` and `offset` are fields here; names are those of `/autocomplete`."""
    limit = min(request.number("limit", PAGE, 999_999), MOST)
    offset = request.number("offset", 0, 999_999)
    kinds = (kind,) if kind else ()
    found = desk.index.find(text, kinds=kinds, limit=limit, offset=offset)
    content = {
        "query": text,
        "total": found.total,
        "more_than_total": found.cut,
        "read_as": found.instead or text,
        "release": desk.site.release,
        "results": _results(desk, request, found),
    }
    return _json(desk, request, content)


def autocomplete(site: Site, request: Request) -> Reply:
    """`?q=`: the best few, for those who type."""
    desk = desk_of(site)
    found = desk.index.find(request.argument("q"), limit=SUGGESTIONS)
    content = {"query": request.argument("q"), "results": _results(desk, request, found)}
    return _json(desk, request, content)


def _results(desk: Desk, request: Request, found: Found) -> list[dict[str, Any]]:
    linker = desk.linker(request)
    links = linker.iris(hit.iri for hit in found.hits)
    kinds = linker.iris(hit.kind for hit in found.hits)
    return [
        {
            "iri": hit.iri,
            "curie": desk.compact(hit.iri),
            "label": hit.label,
            "kind": kinds[hit.kind].text,
            "class": hit.kind,
            "matched": hit.matched,
            "matched_as": hit.sort,
            "retired": hit.retired,
            "path": links[hit.iri].href,
        }
        for hit in found.hits
    ]


def _brief(text: str) -> str:
    """The beginning of a text, ended at a word."""
    return text if len(text) <= BRIEF else text[:BRIEF].rsplit(" ", 1)[0] + " …"


def _json(desk: Desk, request: Request, content: Any) -> Reply:
    body = (json.dumps(content, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    tag = desk.site.etag("search", request.path, request.query_string, request.prefix)
    return Reply(
        200,
        (
            ("content-type", "application/json"),
            ("etag", tag),
            ("cache-control", CACHE),
            ("vary", "Accept"),
        ),
        body,
    )
