"""The files of a release: downloads with their sums, and what others need to link to us."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from pyoxigraph import RdfFormat, parse

from publisher.errors import MethodNotAllowed, NotFound
from publisher.formats import BY_SUFFIX, GRAPHS, HTML, Choice, Format, negotiate
from publisher.protocol.delivery import choose_coding
from publisher.protocol.resources import write
from publisher.protocol.values import Headers, Reply, Request, Site

METHODS = ("GET", "HEAD")
CACHE = "public, max-age=300, must-revalidate"
FOLDER = "downloads/"
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})\Z")
INDEX = Format("index", "application/json", "json", "page")


def download(site: Site, request: Request) -> Reply:
    """`/downloads/<file>`: the file itself, or a part of it, or its gzip sibling."""
    _only_reading(request)
    name = request.path.removeprefix("/" + FOLDER)
    return release_file(site, request, FOLDER + name)


def release_file(site: Site, request: Request, name: str, media_type: str = "") -> Reply:
    """A file that the manifest lists; nothing else can be reached, whatever the name says."""
    entry = site.manifest.files.get(name)
    if entry is None:
        raise NotFound("there is no such file in this release", where=request.path)
    headers: Headers = (
        ("content-type", media_type or _content_type(name, entry)),
        ("cache-control", CACHE),
        ("x-release", site.release),
    )
    packed = site.manifest.files.get(name + ".gz")
    if packed is not None:
        headers = (*headers, ("vary", "Accept-Encoding"))
        wish = request.headers.get("accept-encoding")
        if choose_coding(wish, ("gzip",)) and "range" not in request.headers:
            return _whole(site, name + ".gz", packed, (*headers, ("content-encoding", "gzip")))
    found = _whole(site, name, entry, (*headers, ("accept-ranges", "bytes")))
    return _part(found, request) if "range" in request.headers else found


def _whole(
    site: Site, name: str, entry: Mapping[str, Any], headers: tuple[tuple[str, str], ...]
) -> Reply:
    tag = f'"{str(entry["sha256"])[:32]}"'
    length = ("content-length", str(entry["bytes"]))
    return Reply(200, (*headers, ("etag", tag), length), site.release_dir / name)


def _part(found: Reply, request: Request) -> Reply:
    """One range; anything unusual gets the whole file, as RFC 9110 allows."""
    size = int(found.header("content-length") or 0)
    match = _RANGE.match(request.headers.get("range", ""))
    condition = request.headers.get("if-range")
    if match is None or request.method != "GET" or match[0] == "bytes=-" or not size:
        return found
    if condition and condition.strip() != found.header("etag"):
        return found
    first, last = match[1], match[2]
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or (first and last and int(last) < start) or (not first and last == "0"):
        empty = (("content-range", f"bytes */{size}"), ("content-type", "text/plain"))
        return Reply(416, empty, b"")
    return Reply(206, found.headers, found.body).with_headers(
        ("content-range", f"bytes {start}-{end}/{size}"),
        ("content-length", str(end - start + 1)),
    )


def byte_range(reply: Reply) -> tuple[int, int] | None:
    """First and one past the last byte of a partial reply."""
    found = re.match(r"bytes (\d+)-(\d+)/", reply.header("content-range") or "")
    return (int(found[1]), int(found[2]) + 1) if found else None


def index(site: Site, request: Request) -> Reply:
    """`/downloads/`: what there is, with sizes and sums."""
    _only_reading(request)
    listed = {
        name.removeprefix(FOLDER): entry
        for name, entry in sorted(site.manifest.files.items())
        if name.startswith(FOLDER)
    }
    choice = negotiate(request.accept, (HTML, INDEX)) or Choice(HTML, HTML.media_type)
    body = _as_json(site, listed) if choice.format is INDEX else _as_page(site, request, listed)
    return Reply(
        200,
        (
            ("content-type", choice.content_type),
            ("vary", "Accept"),
            ("etag", site.etag("downloads", choice.media_type, request.base_url)),
            ("cache-control", CACHE),
        ),
        body,
    )


def _as_json(site: Site, listed: Mapping[str, Mapping[str, Any]]) -> bytes:
    content = {"release": site.release, "files": {n: dict(e) for n, e in listed.items()}}
    return (json.dumps(content, indent=1) + "\n").encode()


def _as_page(site: Site, request: Request, listed: Mapping[str, Mapping[str, Any]]) -> bytes:
    rows = "".join(
        f'<tr><td><a href="{html.escape(request.prefix)}/downloads/{html.escape(name)}">'
        f"{html.escape(name)}</a></td><td>{entry['bytes']}</td>"
        f"<td>{html.escape(str(entry.get('media_type', '')))}</td>"
        f"<td><code>{html.escape(str(entry['sha256']))}</code></td></tr>"
        for name, entry in listed.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Downloads</title>'
        f"</head><body><main><h1>Downloads</h1><p>Release {html.escape(site.release)}</p><table>"
        f"<tr><th>File</th><th>Bytes</th><th>Media type</th><th>SHA-256</th></tr>{rows}</table>"
        f"</main></body></html>\n"
    ).encode()


def document(site: Site, request: Request, stem: str) -> Reply | None:
    """A document with prebuilt files (`downloads/ontology.ttl`, `.rdf`, `.jsonld`), negotiated.

    None when a page is wanted, or there are no such files.
    """
    rows = tuple(r for r in GRAPHS if f"{FOLDER}{stem}.{r.suffix}" in site.manifest.files)
    choice = negotiate(request.accept, (HTML, *rows))
    if not rows or choice is None or choice.format is HTML:
        return None
    row = choice.format
    found = release_file(site, request, f"{FOLDER}{stem}.{row.suffix}", choice.content_type)
    return found.with_headers(("vary", "Accept, Accept-Encoding"))


def context(site: Site, request: Request) -> Reply:
    """`/context.jsonld`: the context, for those who write data that fits ours."""
    _only_reading(request)
    return Reply(
        200,
        (
            ("content-type", "application/ld+json"),
            ("etag", site.etag("context")),
            ("cache-control", CACHE),
        ),
        (site.release_dir / "context.jsonld").read_bytes(),
    )


def description(site: Site, choice: Choice) -> Reply:
    """The release's `description.ttl` in a graph format."""
    try:
        text = (site.release_dir / "description.ttl").read_bytes()
    except FileNotFoundError as error:
        raise NotFound("this release does not describe itself") from error
    triples = [quad.triple for quad in parse(text, format=RdfFormat.TURTLE)]
    return Reply(
        200,
        (
            ("content-type", choice.content_type),
            ("vary", "Accept"),
            ("etag", site.etag("description", choice.media_type)),
            ("cache-control", CACHE),
        ),
        write(site, triples, choice.format.name),
    )


def _content_type(name: str, entry: Mapping[str, Any]) -> str:
    stated = str(entry.get("media_type", ""))
    row = BY_SUFFIX.get(name.rsplit(".", 1)[-1])
    kind = stated or (row.media_type if row else "application/octet-stream")
    return f"{kind}; charset=utf-8" if kind.startswith("text/") and ";" not in kind else kind


def _only_reading(request: Request) -> None:
    if request.method not in METHODS:
        raise MethodNotAllowed(f"{request.method} is not for files", allowed=METHODS)
