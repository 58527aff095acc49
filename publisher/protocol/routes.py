"""The data side of the site: which path is answered by which handler. Pages stand in `web`."""

from __future__ import annotations

import json
from collections.abc import Callable

from publisher.engine.embedded import Embedded
from publisher.errors import MethodNotAllowed
from publisher.formats import GRAPHS, HTML, Choice, Format, negotiate
from publisher.protocol import editions, files, resources, versions
from publisher.protocol.values import Reply, Request, Site

Handler = Callable[[Site, Request], Reply | None]

# what has files of its own in every graph format: downloads/<stem>.<suffix>
DOCUMENTS = ("ontology", "shapes")
VERSIONED = tuple(versions.HANDLERS)


def data(site: Site, request: Request) -> Reply | None:
    """The reply to a request for data; None when the path or the wanted form is a page's.

    Never runs a query: all of this is a lookup or a file.
    """
    handler = EXACT.get(request.path)
    if handler is not None:
        return handler(site, request)
    if request.path.startswith(VERSIONED) and request.method in resources.METHODS:
        found = versions.data(site, request)
        if found is not None:
            return found
    if request.path.startswith("/downloads/"):
        return files.download(site, request)
    if request.method not in resources.METHODS:
        return None
    edition = editions.data(site, request)
    if edition is not None:
        return edition
    asked = resources.wanted(site, request)
    if asked.choice.format is HTML:
        return None
    quick = resources.quick(site, asked)
    if quick is not None:
        return quick
    triples = resources.found(site, asked.iri)
    return resources.graph_reply(site, asked, triples) if triples else None


def is_large(site: Site, request: Request) -> bool:
    """Whether the data of a path may be many: those are not put together on the event loop."""
    stem, _ = resources.split_suffix(request.path)
    iri = site.names.iri(stem, decoded=True)
    engine = site.engine
    return site.is_graph(iri) or (isinstance(engine, Embedded) and engine.held.is_hub(iri))


def health(site: Site, request: Request) -> Reply:
    """`/health`: alive, and with which release."""
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("only to be read", allowed=("GET", "HEAD"))
    content = {"status": "ok", "release": site.release, "triples": site.manifest.triples}
    return Reply(
        200,
        (("content-type", "application/json"), ("cache-control", "no-store")),
        (json.dumps(content) + "\n").encode(),
    )


def _downloads(site: Site, request: Request) -> Reply | None:
    """The list of files for programs; the page of it is a screen."""
    choice = negotiate(request.accept, (HTML, files.INDEX))
    return None if choice is None or choice.format is HTML else files.index(site, request)


def _document(stem: str) -> Handler:
    def handler(site: Site, request: Request) -> Reply | None:
        return files.document(site, request, stem)

    return handler


def _document_as(stem: str, suffix: str) -> Handler:
    def handler(site: Site, request: Request) -> Reply | None:
        name = f"{files.FOLDER}{stem}.{suffix}"
        return files.release_file(site, request, name) if name in site.manifest.files else None

    return handler


def _description(site: Site, request: Request) -> Reply | None:
    """The release's description of itself (VoID, DCAT), in any graph format."""
    choice = negotiate(request.accept, (HTML, *GRAPHS))
    if request.path == "/.well-known/void" and (choice is None or choice.format is HTML):
        choice = negotiate(None, GRAPHS)
    if choice is None or choice.format is HTML:
        return None
    return files.description(site, choice)


def _description_as(row: Format) -> Handler:
    def handler(site: Site, request: Request) -> Reply:
        if request.method not in resources.METHODS:
            raise MethodNotAllowed("only to be read", allowed=resources.METHODS)
        return files.description(site, Choice(row, row.media_type))

    return handler


EXACT: dict[str, Handler] = {
    "/health": health,
    "/downloads/": _downloads,
    "/context.jsonld": files.context,
    **{f"/{stem}": _document(stem) for stem in DOCUMENTS},
    **{f"/{stem}.{r.suffix}": _document_as(stem, r.suffix) for stem in DOCUMENTS for r in GRAPHS},
    "/dataset": _description,
    **{f"/dataset.{row.suffix}": _description_as(row) for row in GRAPHS},
    "/.well-known/void": _description,
}
