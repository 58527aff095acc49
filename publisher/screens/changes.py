"""`/changes`: releases and what they changed, for people, programs, feed readers; `/release/…`."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from pyoxigraph import NamedNode

from publisher import changes as kept
from publisher import describe
from publisher.changes import KINDS, Entry
from publisher.errors import NotFound
from publisher.formats import GRAPHS, HTML, Format, negotiate
from publisher.protocol import files, versions
from publisher.protocol.values import Reply, Request, Site
from publisher.resource import Link, Linker
from publisher.screens.desk import CACHE, Desk, asked_page, desk_of, last_page, page, shell
from publisher.screens.documents import listed
from publisher.screens.work import shortened

PAGE = 50
LARGEST = 30  # named graphs that are listed
_TOPIC = "http://xmlns.com/foaf/0.1/primaryTopic"
FEED_CHANGES = 200  # of one release; the page has all
JSON = Format("changes", "application/json", "json", "page")
ATOM = Format("atom", "application/atom+xml", "atom", "page")
_IRI = re.compile(r"<([^<>\s]*)>")
_ORDER = ("retired", "gone", "new", "changed")


@dataclass(frozen=True)
class Shown:
    """One change as the page shows it."""

    kind: str
    link: Link
    of_class: str
    instead: tuple[Link, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    counts: tuple[int, int]


@dataclass(frozen=True)
class Listed:
    """One page of the changes of a release, and the ways to see fewer of them."""

    rows: tuple[Shown, ...]
    total: int
    page: int
    pages: int
    kinds: Sequence[Mapping[str, Any]]
    facets: Sequence[Mapping[str, Any]]
    query: Mapping[str, str]
    chosen: str


def entry_of(site: Site, version: str) -> Entry | None:
    """The changes of one release; None when the release is not known. The last one is kept."""
    held = site.shelf.get("changes")
    if isinstance(held, Entry) and held.release == version:
        return held
    found = kept.read(site.release_dir, version, site.release)
    if found is not None:
        site.shelf["changes"] = found
    return found


def entries(site: Site) -> list[Entry]:
    """All releases, the newest first, each with as many changes as a feed tells."""
    found: list[Entry] | None = site.shelf.get("releases")
    if found is None:
        read = (kept.read(site.release_dir, n, site.release) for n in versions.known(site))
        found = site.shelf["releases"] = [
            replace(entry, changes=_foremost(entry.changes)) for entry in read if entry
        ]
    return found


def _foremost(changes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What was retired or is gone first, without the statements."""
    rows = sorted(changes, key=lambda change: _ORDER.index(change["kind"]))[:FEED_CHANGES]
    return [{k: v for k, v in row.items() if k not in ("added", "removed")} for row in rows]


def changes(site: Site, request: Request) -> Reply:
    """`/changes`: all releases, and the newest one's changes."""
    choice = negotiate(request.accept, (HTML, JSON, ATOM))
    if choice is not None and choice.format is not HTML:
        return as_json(site, request) if choice.format is JSON else feed(site, request)
    desk = desk_of(site)
    newest = entry_of(site, site.release)
    frame = shell(
        desk,
        request,
        "Changes",
        description="Releases and what changed.",
        alternates=_forms(request, "/changes"),
    )
    return page(
        desk,
        request,
        "changes.html",
        frame,
        entry=newest,
        entries=entries(site),
        listed=listed_changes(desk, request, newest) if newest else None,
        single=False,
        triples=site.manifest.triples,
        graphs=largest_graphs(desk, request),
        total_graphs=len(site.manifest.graphs),
    )


def largest_graphs(desk: Desk, request: Request) -> list[tuple[Link, Link | None, int]]:
    """The largest named graphs: each, the source that it is of, how many statements it has."""
    sizes = sorted(desk.site.manifest.graphs.items(), key=lambda pair: (-pair[1], pair[0]))[
        :LARGEST
    ]
    asked = " ".join(str(NamedNode(iri)) for iri, _ in sizes)
    rows = desk.site.engine.select(
        f"SELECT ?graph ?topic {{ VALUES ?graph {{ {asked} }} ?graph <{_TOPIC}> ?topic }}"
    )
    topics = {
        row["graph"].value: row["topic"] for row in rows if isinstance(row["graph"], NamedNode)
    }
    linker = desk.linker(request)
    links = linker.links(topics.values())
    prefix = request.prefix
    return [
        (
            Link(desk.compact(iri), f"{prefix}{path}" if (path := linker.names.path(iri)) else ""),
            shortened(desk, links[topics[iri]]) if iri in topics else None,
            size,
        )
        for iri, size in sizes
    ]


def one(site: Site, request: Request, name: str) -> Reply:
    """`/changes/<release>`, and with `.json` the file that the release carries."""
    version = name.removesuffix(".json")
    entry = entry_of(site, version)
    if entry is None:
        raise NotFound("there is no such release", where=request.path, fix="/changes lists all")
    choice = negotiate(request.accept, (HTML, JSON))
    if name.endswith(".json") or (choice is not None and choice.format is JSON):
        current = version == site.release
        file = kept.FILE if current else f"{kept.FOLDER}/{version}.json"
        return files.release_file(site, request, file).with_headers(("vary", "Accept"))
    desk = desk_of(site)
    frame = shell(
        desk,
        request,
        f"Changes in {version}",
        description=f"What changed in release {version}.",
        alternates=_forms(request, f"/changes/{version}")[:1],
        crumbs=(("/changes", "Changes: all releases"),),
    )
    return page(
        desk,
        request,
        "changes.html",
        frame,
        entry=entry,
        entries=(),
        listed=listed_changes(desk, request, entry),
        single=True,
        compact=desk.compact,
        names=site.names,
    )


def _forms(request: Request, path: str) -> list[dict[str, str]]:
    rows = [(JSON, "JSON"), (ATOM, "Atom feed")]
    return [
        {
            "rel": "alternate",
            "type": row.media_type,
            "href": f"{request.prefix}{path}.{row.suffix}",
            "name": word,
        }
        for row, word in rows
    ]


def listed_changes(desk: Desk, request: Request, entry: Entry) -> Listed:
    """`?kind=&class=&page=`: what is retired or gone first."""
    linker = desk.linker(request)
    kind, named = request.argument("kind"), request.argument("class")
    of_class = desk.iri(named) if named else ""
    rows = [
        change
        for change in entry.changes
        if kind in ("", change["kind"]) and of_class in ("", change["class"])
    ]
    places = {row["class"]: place for place, row in enumerate(entry.kinds)}
    rows.sort(key=lambda c: (_ORDER.index(c["kind"]), places.get(c["class"], 0)))
    pages = last_page(len(rows), PAGE)
    at = min(asked_page(request), pages)
    part = rows[(at - 1) * PAGE : at * PAGE]
    fields = {"kind": kind, "class": named}
    return Listed(
        tuple(_shown(desk, linker, change) for change in part),
        len(rows),
        at,
        pages,
        [
            {
                **row,
                "label": linker.link(row["class"]).text,
                "href": _query(**{"class": desk.compact(row["class"])}) if row["class"] else "",
            }
            for row in entry.kinds
            if any(row[k] for k in KINDS)
        ],
        [
            {
                "word": word or "all",
                "count": sum(
                    word in ("", c["kind"]) and of_class in ("", c["class"]) for c in entry.changes
                ),
                "chosen": word == kind,
                "href": _query(**{**fields, "kind": word}),
            }
            for word in ("", *_ORDER)
        ],
        {k: v for k, v in fields.items() if v},
        linker.link(of_class).text,
    )


def _query(**fields: str) -> str:
    return "?" + urlencode({k: v for k, v in fields.items() if v}) + "#changes"


def _shown(desk: Desk, linker: Linker, change: Mapping[str, Any]) -> Shown:
    """What is gone is called what it was called, and leads nowhere."""
    link = linker.link(change["iri"])
    if change["kind"] == "gone":
        link = Link(change["label"] or desk.compact(change["iri"]), "", change["iri"])
    return Shown(
        change["kind"],
        link,
        linker.link(change["class"]).text if change["class"] else "",
        tuple(linker.iris(change["replacedBy"]).values()),
        tuple(brief(desk, text) for text in change.get("added", ())),
        tuple(brief(desk, text) for text in change.get("removed", ())),
        (change["statementsAdded"], change["statementsRemoved"]),
    )


def brief(desk: Desk, statement: str) -> str:
    """A statement of N-Triples with its names shortened."""
    return _IRI.sub(lambda m: desk.site.names.prefixes.compact(m[1]) or m[0], statement)


# for programs


def as_json(site: Site, request: Request) -> Reply:
    """`/changes.json`: the list of releases, and the newest one's changes in full."""
    newest = entry_of(site, site.release)
    content = {
        "release": site.release,
        "releases": [
            {
                "release": entry.release,
                "iri": describe.release_iri(versions.about(site), entry.release),
                "previous": entry.previous or None,
                "counts": entry.counts,
                "changes": request.url(f"/changes/{entry.release}.json"),
            }
            for entry in entries(site)
        ],
        "kinds": newest.kinds if newest else [],
        "changes": newest.changes if newest else [],
    }
    return _told(site, request, JSON, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def feed(site: Site, request: Request) -> Reply:
    """`/changes.atom`: one entry for each release (RFC 4287)."""
    desk = desk_of(site)
    found = entries(site)
    dataset = desk.table("dataset")
    author = next((row["name"] for row in dataset.get("creators", [])), site.title)
    own, there = request.url("/changes.atom"), request.url("/changes")
    updated = _moment(site, found[0]) if found else _moment(site, None)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{escape(site.names.base)}changes</id>",
        f"<title>{escape(site.title)}: releases</title>",
        f"<updated>{updated}</updated>",
        f"<author><name>{escape(str(author))}</name></author>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(own)}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(there)}/>',
        f"<rights>{escape(str(dataset.get('licence', '')))}</rights>",
        *(_entry(site, request, desk, entry) for entry in found),
        "</feed>",
    ]
    return _told(site, request, ATOM, "\n".join(lines) + "\n")


def _entry(site: Site, request: Request, desk: Desk, entry: Entry) -> str:
    iri = describe.release_iri(versions.about(site), entry.release)
    page_of, data_of = (request.url(f"/changes/{entry.release}{end}") for end in ("", ".json"))
    return "\n".join(
        [
            "<entry>",
            f"<id>{escape(iri)}</id>",
            f"<title>{escape(f'Release {entry.release}')}</title>",
            f"<updated>{_moment(site, entry)}</updated>",
            f'<link rel="alternate" type="text/html" href={quoteattr(page_of)}/>',
            f'<link rel="related" type="application/json" href={quoteattr(data_of)}/>',
            f"<summary>{escape(summary(entry))}</summary>",
            f'<content type="html">{escape(_content(desk, entry))}</content>',
            "</entry>",
        ]
    )


def summary(entry: Entry) -> str:
    """A release in one line."""
    if not entry.previous:
        return f"Release {entry.release}: no earlier release to compare it with."
    told = ", ".join(f"{entry.counts.get(kind, 0)} {kind}" for kind in KINDS)
    return f"Since {entry.previous}: {told}."


def _content(desk: Desk, entry: Entry) -> str:
    """The changes as HTML; IRIs are links, as a feed reader is nobody's site."""
    items = "".join(
        f"<li>{c['kind']}: <a href={quoteattr(c['iri'])}>"
        f"{escape(c['label'] or desk.compact(c['iri']))}</a>"
        + "".join(f", replaced by <a href={quoteattr(r)}>{escape(r)}</a>" for r in c["replacedBy"])
        + "</li>"
        for c in entry.changes
    )
    more = sum(entry.counts.get(kind, 0) for kind in KINDS) - len(entry.changes)
    return f"<p>{escape(summary(entry))}</p><ul>{items}</ul>" + (
        f"<p>and {more} more</p>" if more else ""
    )


def _moment(site: Site, entry: Entry | None) -> str:
    """When a release was made: its day, else when this one was written."""
    if entry is not None and entry.date:
        return f"{entry.date}T00:00:00Z"
    when = (site.release_dir / "manifest.json").stat().st_mtime
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _told(site: Site, request: Request, form: Format, text: str) -> Reply:
    return Reply(
        200,
        (
            ("content-type", form.media_type),
            ("etag", site.etag("changes", form.name, request.base_url)),
            ("vary", "Accept"),
            ("cache-control", CACHE),
            ("x-release", site.release),
        ),
        text.encode("utf-8", "replace"),
    )


# one release


def release(site: Site, request: Request, name: str) -> Reply:
    """`/release/<name>`: its files, and what it changed."""
    found = versions.data(site, request)
    if found is not None:
        return found
    version = name.removesuffix(".html")
    if version not in versions.known(site):
        raise NotFound("there is no such release", where=request.path, fix="/changes lists all")
    return release_page(desk_of(site), request, version)


def release_page(desk: Desk, request: Request, version: str, *, vocabulary: str = "") -> Reply:
    """The page of a release; `vocabulary`: of the version of the vocabulary that came with it."""
    site = desk.site
    there = versions.at(site, version)
    iri = vocabulary or describe.release_iri(versions.about(site), version)
    names = versions.known(site)
    place = names.index(version)
    frame = shell(
        desk,
        request,
        f"{'Vocabulary' if vocabulary else 'Release'} {version}",
        canonical=iri,
        description=f"Release {version} and its files.",
        alternates=[
            {
                "rel": "alternate",
                "type": r.media_type,
                "href": f"{version}.{r.suffix}",
                "name": r.name,
            }
            for r in GRAPHS
            if there is not None or not vocabulary
        ],
        crumbs=(("/changes", "Changes: all releases"),),
    )
    return page(
        desk,
        request,
        "release.html",
        frame,
        iri=iri,
        version=version,
        entry=entry_of(site, version),
        current=version == site.release,
        previous=names[place + 1] if place + 1 < len(names) else "",
        later=names[place - 1] if place else "",
        triples=there.manifest.triples if there else 0,
        files=listed(desk, whole=False, there=there) if there else [],
        vocabulary=bool(vocabulary),
    )
