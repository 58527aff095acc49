"""Editions: `/<edition>` and `/<edition>/<release>`, the names that an edition's header gives it.

An edition says the same in another way and is made of files only. Importing it by its name must
work; its IRIs are dereferenced as everything else, its page is the list of the files.
"""

from __future__ import annotations

from publisher.formats import BY_NAME, HTML, negotiate
from publisher.protocol import files, versions
from publisher.protocol.resources import METHODS, split_suffix
from publisher.protocol.values import Reply, Request, Site

# the form that is negotiated, and the suffix of its file
FILES = {"turtle": "ttl", "rdfxml": "owl"}
OFFERED = (HTML, *(BY_NAME[name] for name in FILES))


def data(site: Site, request: Request) -> Reply | None:
    """The reply to a request for an edition, or for one that a release had; None for another."""
    path = request.path
    edition = path[1:].partition("/")[0].partition(".")[0]
    if edition not in site.editions or request.method not in METHODS:
        return None
    stem, row = split_suffix(path)
    if path.endswith(".owl"):
        stem, row = path.removesuffix(".owl"), BY_NAME["rdfxml"]
    version = stem.removeprefix(f"/{edition}").removeprefix("/")
    if stem != f"/{edition}" + (f"/{version}" if version else ""):
        return None
    if version and version not in versions.known(site):
        return None
    choice = None if row else negotiate(request.accept, OFFERED)
    row = row or (choice.format if choice else HTML)
    if row is HTML:
        page = f"/release/{version}" if version else "/downloads/"
        return Reply(303, (("location", request.prefix + page), ("vary", "Accept")))
    if row.name not in FILES:
        return None
    there = versions.kept_or_gone(site, version, request) if version else site
    name = f"{files.FOLDER}{site.name}-{edition}.{FILES[row.name]}"
    found = files.release_file(there, request, name, choice.content_type if choice else "")
    return found.with_headers(("vary", "Accept, Accept-Encoding")) if choice else found
