"""Versions: `/release/<name>`, `/ontology/<name>` and `/downloads/<name>/<file>` of every release.

A release that stands beside the served one is opened for its files only; of one that does not, the
served one still knows its name and what it changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from publisher import changes, describe, graph
from publisher.errors import NotFound
from publisher.formats import GRAPHS, HTML, Choice, negotiate
from publisher.graph import Graph
from publisher.protocol import files
from publisher.protocol.resources import Wanted, graph_reply, split_suffix
from publisher.protocol.values import Manifest, Reply, Request, Site
from publisher.release import others

NOT_KEPT = "the files of this release are not kept here"
_FIX = "/changes says what it changed; the current release is under /downloads/"


def known(site: Site) -> tuple[str, ...]:
    """The names of all releases up to this one, this one first."""
    found = site.shelf.get("versions")
    if not isinstance(found, tuple):
        found = site.shelf["versions"] = (site.release, *changes.history(site.release_dir))
    return found


def previous(site: Site, version: str) -> str:
    """The release before one; empty for the first."""
    names = known(site)
    place = names.index(version) + 1
    return names[place] if place < len(names) else ""


def at(site: Site, version: str) -> Site | None:
    """The site as far as the files of another release go; None when they are not kept here."""
    if version == site.release:
        return site
    kept = site.shelf.get("kept")
    if not isinstance(kept, dict):
        kept = site.shelf["kept"] = dict(_kept(site))
    found = kept.get(version)
    # it may have been removed since
    return found if isinstance(found, Site) and found.release_dir.is_dir() else None


def _kept(site: Site) -> Mapping[str, Site]:
    own = json.loads((site.release_dir / "manifest.json").read_text("utf-8"))
    beside = others(site.release_dir.parent, own["name"]) if "name" in own else []
    return {
        release.name: replace(
            site,
            release_dir=release.path,
            manifest=Manifest(
                release.name,
                int(release.manifest["triples"]),
                release.manifest["graphs"],
                release.manifest["files"],
            ),
            shelf={},
        )
        for release in beside
        if release.name in known(site)
    }


def about(site: Site) -> Graph:
    """The graph's settings, as the build reads them."""
    found = site.shelf.get("about")
    if not isinstance(found, Graph):
        found = site.shelf["about"] = graph.read_release(site.release_dir)
    return found


def data(site: Site, request: Request) -> Reply | None:
    """The reply to a request for data about a version; None when it is for none, or for a page."""
    for prefix, handler in HANDLERS.items():
        if request.path.startswith(prefix):
            return handler(site, request)
    return None


def release(site: Site, request: Request) -> Reply | None:
    """`/release/<name>`: what the release is, and the one before it."""
    stem, suffix = split_suffix(request.path)
    name = stem.removeprefix("/release/")
    if name not in known(site):
        return None
    given = Choice(suffix, suffix.media_type) if suffix else None
    choice = given or negotiate(request.accept, (HTML, *GRAPHS))
    if choice is None or choice.format is HTML:
        return None
    iri = describe.release_iri(about(site), name)
    facts = describe.release_facts(about(site), name, previous(site, name))
    triples = list(dict.fromkeys([*site.engine.described(iri), *facts]))
    return graph_reply(site, Wanted(iri, choice, stem), triples)


def vocabulary(site: Site, request: Request) -> Reply | None:
    """`/ontology/<name>`: the vocabulary as that release has it."""
    stem, suffix = split_suffix(request.path)
    name = stem.removeprefix("/ontology/")
    if name not in known(site):
        return None
    if suffix is None:
        choice = negotiate(request.accept, (HTML, *GRAPHS))
        if choice is None or choice.format is HTML:
            return None
    elif suffix is HTML:
        return None
    there = kept_or_gone(site, name, request)
    if suffix is None:
        return files.document(there, request, "ontology")
    return files.release_file(there, request, f"downloads/ontology.{suffix.suffix}")


def download(site: Site, request: Request) -> Reply | None:
    """`/downloads/<name>/<file>`; without a file, the way to the page of the release."""
    name, slash, file = request.path.removeprefix("/downloads/").partition("/")
    if not slash or name not in known(site):
        return None
    if not file:
        return Reply(303, (("location", f"{request.prefix}/release/{name}"),))
    return files.release_file(kept_or_gone(site, name, request), request, f"downloads/{file}")


def kept_or_gone(site: Site, name: str, request: Request) -> Site:
    """The site as far as the files of a release go; NotFound when they are not kept here."""
    there = at(site, name)
    if there is None:
        raise NotFound(NOT_KEPT, where=request.path, fix=_FIX)
    return there


HANDLERS = {"/release/": release, "/ontology/": vocabulary, "/downloads/": download}
