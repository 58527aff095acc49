"""The Flask application: routes, and error → reply. Every route works without `server`.

Pages come from the room `screens`, which is not known here by name of any page: it offers `ROUTES`,
pairs of a rule and a handler `(site, request, **values) -> Reply`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import flask
from werkzeug.exceptions import HTTPException

from publisher import errors, screens
from publisher.engine.embedded import Embedded
from publisher.engine.pool import Lanes
from publisher.engine.question import Engine
from publisher.protocol import (
    Reply,
    Request,
    Site,
    delivery,
    describe_service,
    problems,
    resources,
    routes,
    sparql,
)
from publisher.protocol.files import byte_range
from publisher.protocol.values import open_site, refuse_coded
from publisher.settings import Settings

log = logging.getLogger("publisher.web")

PageHandler = Callable[..., Reply]
READ = ("GET", "HEAD")
ASK = ("GET", "HEAD", "POST")
ALL = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
PIECE = 64 * 1024


def create_app(
    release_dir: Path, settings: Settings | None = None, engine: Engine | None = None
) -> flask.Flask:
    """The site of a release; `engine` may be any that keeps the Engine protocol."""
    known = settings or Settings()
    engine = engine or Embedded(release_dir, lanes_of(known))
    return app_of(open_site(release_dir, engine, known))


def lanes_of(settings: Settings) -> Lanes:
    """The part of the settings that the pool of processes needs."""
    return Lanes(
        fast=settings.workers,
        slow=settings.slow_workers,
        parked=settings.parked_queries,
        queue=settings.queue,
        queue_seconds=settings.queue_seconds,
        slow_after=settings.slow_after,
        answer_seconds=settings.answer_seconds,
        memory=settings.worker_memory,
        network=bool(settings.service_hosts),
    )


def app_of(site: Site) -> flask.Flask:
    """The application over an open site."""
    app = flask.Flask("publisher", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = site.settings.body_bytes
    app.extensions["publisher"] = site
    for rule, handler in page_routes():
        _add(app, rule, handler)
    _add(app, "/sparql", endpoint)
    _add(app, "/", anything)
    _add(app, "/<path:rest>", anything)
    app.register_error_handler(Exception, _failed)
    return app


# what takes a body; everything else is only read
POSTED = frozenset({"/sparql", "/reconcile", "/validate"})


def methods_of(path: str) -> tuple[str, ...]:
    """The methods that are answered at a path."""
    return ASK if (path.rstrip("/") or "/") in POSTED else READ


def answered(request: Request) -> Reply | None:
    """The reply to OPTIONS; None for a method that the path has, MethodNotAllowed for others."""
    allowed = methods_of(request.path)
    if request.method == "OPTIONS":
        return delivery.preflight(allowed)
    if request.method not in allowed:
        raise errors.MethodNotAllowed(
            f"{request.method} is not answered here", allowed=allowed, where=request.path
        )
    return None


def page_routes() -> tuple[tuple[str, PageHandler], ...]:
    """What the room `screens` offers."""
    return screens.ROUTES


def endpoint(site: Site, request: Request) -> Reply:
    """`/sparql`: a query, or what the endpoint says of itself."""
    found = sparql.answer(site, request)
    return found if found is not None else about_endpoint(site, request)


def about_endpoint(site: Site, request: Request) -> Reply:
    """The service description for programs, the editor for people."""
    choice = describe_service.choose(request)
    if choice.format.name != "html":
        return describe_service.reply(site, request, choice)
    return screens.render_editor(site, request)


def anything(site: Site, request: Request, rest: str = "") -> Reply:  # noqa: ARG001 - Flask gives it
    """Every other path: a file, a document, or a resource of the graph."""
    found = routes.data(site, request)
    return found if found is not None else resources.handle(site, request)


def _add(app: flask.Flask, rule: str, handler: PageHandler) -> None:
    def view(**values: Any) -> flask.Response:
        site: Site = app.extensions["publisher"]
        request = request_of(site)
        return response(respond(site, request, handler, values))

    name = f"{handler.__module__}.{handler.__name__}:{rule}"
    app.add_url_rule(rule, name, view, methods=list(ALL), provide_automatic_options=False)


def respond(site: Site, request: Request, handler: PageHandler, values: dict[str, Any]) -> Reply:
    """The story of a request: handle it, tell its error, deliver it."""
    try:
        refuse_coded(request.headers if request.method == "POST" else {})
        reply = answered(request) or handler(site, request, **values)
    except errors.PublisherError as error:
        reply = told(error, request, site)
    return delivery.deliver(reply, request)


def told(error: errors.PublisherError, request: Request, site: Site | None = None) -> Reply:
    """The reply that tells an error; a fault of ours is logged, and says nothing of our inside."""
    if problems.status_of(error) == 500:
        log.error("request %s failed: %s", request.id, error)
        error = errors.PublisherError("something went wrong here", fix="tell us the request's id")
    reply = problems.problem(error, request)
    return _with_page(reply, error, request, site) if site is not None else reply


def _with_page(reply: Reply, error: errors.PublisherError, request: Request, site: Site) -> Reply:
    """The site's own page of an error, where people get a page at all."""
    if not (reply.header("content-type") or "").startswith("text/html"):
        return reply
    body = screens.error_page(site, request, reply.status, error)
    return reply if body is None else replace(reply, body=body)


def _failed(error: Exception) -> flask.Response:
    """What Flask and Werkzeug raise themselves, and what nobody expected."""
    site: Site = flask.current_app.extensions["publisher"]
    request = request_of(site, body=False)
    if isinstance(error, HTTPException):
        told_as = _translated(error, methods_of(request.path))
        return response(delivery.deliver(told(told_as, request, site), request))
    log.error("request %s failed", request.id, exc_info=error)
    reply = problems.problem(errors.PublisherError("something went wrong here"), request)
    return response(delivery.deliver(reply, request))


def _translated(error: HTTPException, allowed: tuple[str, ...]) -> errors.PublisherError:
    """One table for what the framework refuses."""
    if error.code == 405:
        return errors.MethodNotAllowed("this method is not for this address", allowed=allowed)
    families: dict[int | None, type[errors.RequestError]] = {
        404: errors.NotFound,
        413: errors.TooLarge,
        415: errors.UnsupportedMedia,
    }
    family = families.get(error.code, errors.BadRequest)
    return family(str(error.description or error.name))


# Flask's values ↔ ours

HANDED_OVER = "publisher.request"


def request_of(site: Site, *, body: bool = True) -> Request:
    """The request, as the front layer made it or as Flask has it."""
    given = flask.request.environ.get(HANDED_OVER)
    if isinstance(given, Request):
        return given
    incoming = flask.request
    prefix = site.settings.prefix.rstrip("/")
    origin = site.settings.site_url.rstrip("/") or incoming.host_url.rstrip("/") + prefix
    query: bytes = incoming.query_string
    return Request(
        method=incoming.method,
        path=incoming.path,
        query_string=query.decode("latin-1"),
        headers={name.lower(): value for name, value in incoming.headers.items()},
        body=incoming.get_data() if body else b"",
        client=incoming.remote_addr or "",
        base_url=origin,
        prefix=prefix,
        id=secrets.token_hex(8),
    )


def response(reply: Reply) -> flask.Response:
    """Our reply as Flask's."""
    body = reply.body
    if isinstance(body, Path):
        pieces: Any = file_pieces(reply, body)
    elif isinstance(body, AsyncIterator):
        raise TypeError("a thread cannot send what the event loop makes")
    else:
        pieces = body
    made = flask.Response(pieces, status=reply.status)
    made.headers.clear()
    for name, value in reply.headers:
        made.headers.add(name, value)
    return made


def file_pieces(reply: Reply, file: Path) -> Iterator[bytes]:
    """A file, or the part of it that the reply names."""

    start, end = byte_range(reply) or (0, file.stat().st_size)
    with file.open("rb") as source:
        source.seek(start)
        left = end - start
        while left > 0 and (piece := source.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
