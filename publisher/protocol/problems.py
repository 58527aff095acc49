"""Errors → replies: RFC 9457 for programs, a page for people. One table of families."""

from __future__ import annotations

import html
import json
from http import HTTPStatus

from publisher import errors
from publisher.formats import HTML, Format, negotiate
from publisher.protocol.values import Reply, Request

PROBLEM = Format("problem", "application/problem+json", "json", "page", ("application/json",))

# the most special family that fits decides
STATUSES: dict[type[errors.PublisherError], int] = {
    errors.BadRequest: 400,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.NotAcceptable: 406,
    errors.Gone: 410,
    errors.TooLarge: 413,
    errors.HeadersTooLarge: 431,
    errors.RequestTimedOut: 408,
    errors.QueryTooCostly: 413,
    errors.UnsupportedMedia: 415,
    errors.TooManyRequests: 429,
    errors.Overloaded: 503,
    errors.EngineUnavailable: 503,
    errors.QueryTimeout: 504,
    errors.InputError: 400,
    errors.PublisherError: 500,
}


def status_of(error: errors.PublisherError) -> int:
    """The status of an error's family."""
    return next(STATUSES[family] for family in type(error).__mro__ if family in STATUSES)


def problem(error: errors.PublisherError, request: Request) -> Reply:
    """The reply that tells an error, in the form that the client reads."""
    status = status_of(error)
    choice = negotiate(request.accept, (PROBLEM, HTML))
    page = choice is not None and choice.format is HTML
    body = _page(error, status, request) if page else _document(error, status, request)
    kind = "text/html; charset=utf-8" if page else PROBLEM.media_type
    return Reply(
        status,
        (("content-type", kind), ("cache-control", "no-store"), ("vary", "Accept"), *_more(error)),
        body,
    )


def _document(error: errors.PublisherError, status: int, request: Request) -> bytes:
    content: dict[str, object] = {
        "type": f"urn:publisher:problem:{_slug(error)}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.what,
    }
    more = {"where": error.where, "fix": error.fix, "request": request.id}
    content |= {key: value for key, value in more.items() if value}
    if isinstance(error, errors.Malformed) and error.line:
        content |= {"line": error.line, "column": error.column}
    if isinstance(error, errors.NotAcceptable) and error.offered:
        content["offered"] = list(error.offered)
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _page(error: errors.PublisherError, status: int, request: Request) -> bytes:
    """Plain on purpose: it must work when everything else does not."""
    title = f"{status} {HTTPStatus(status).phrase}"
    lines = [error.what, error.where, error.fix]
    paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in lines if line)
    home = html.escape(request.prefix + "/")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main>'
        f'<h1>{title}</h1>{paragraphs}<p><a href="{home}">Home</a></p></main></body></html>\n'
    ).encode("utf-8", "replace")


def _more(error: errors.PublisherError) -> tuple[tuple[str, str], ...]:
    if isinstance(error, errors.MethodNotAllowed):
        return (("allow", ", ".join((*error.allowed, "OPTIONS"))),)
    if isinstance(error, errors.UnsupportedCoding):
        return (("accept-encoding", "identity"),)
    if isinstance(error, errors.Overloaded):
        return (("retry-after", str(error.retry_after)),)
    if isinstance(error, errors.EngineUnavailable):
        return (("retry-after", "1"),)
    return ()


def _slug(error: errors.PublisherError) -> str:
    name = type(error).__name__
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
