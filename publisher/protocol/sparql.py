"""SPARQL 1.1 Protocol: request → inquiry → reply. Read `understand`, then `reply_to`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from pyoxigraph import NamedNode

from publisher.engine import outline
from publisher.engine.question import Answer, AsyncAnswer, Budget, Dataset, Question
from publisher.errors import (
    BadRequest,
    Forbidden,
    MalformedQuery,
    MethodNotAllowed,
    NotAcceptable,
    TooLarge,
    UnsupportedMedia,
)
from publisher.formats import GRAPHS, RESULTS, Choice, Format, negotiate
from publisher.protocol.forms import FORM, content_type
from publisher.protocol.values import Reply, Request, Site, decode_form

METHODS = ("GET", "HEAD", "POST")
DIRECT = "application/sparql-query"
UPDATE = "application/sparql-update"
READ_ONLY = "this endpoint is read-only"
CACHE = "public, max-age=60, must-revalidate"
WHOLE = Dataset()

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Inquiry:
    """A request that made sense: question, outline, form of the answer, validator."""

    question: Question
    outline: outline.Outline
    choice: Choice
    etag: str


def understand(site: Site, request: Request) -> Inquiry | None:
    """What is asked; None when there is no query, so that the service itself is asked about."""
    if request.method not in METHODS:
        raise MethodNotAllowed(f"{request.method} is not for queries", allowed=METHODS)
    fields = _fields(request)
    query = _only_query(fields)
    if query is None:
        if request.method == "POST":
            raise BadRequest("there is no query", fix="send it in the field query")
        return None
    limit = site.settings.query_bytes
    size = len(query) if query.isascii() else len(query.encode("utf-8", "surrogatepass"))
    if size > limit:
        raise TooLarge(f"the query is longer than {limit} bytes", fix="ask in several queries")
    found = outline.read(query)
    _refuse_what_we_never_do(found, site)
    choice = _choose(request, found.form)
    dataset = _dataset(fields, found, site)
    base = site.names.iri("/sparql", decoded=True)
    question = Question(query, choice.format.name, dataset, base)
    if found.volatile:
        return Inquiry(question, found, choice, "")
    named = () if dataset is WHOLE else (repr(dataset),)
    return Inquiry(question, found, choice, site.etag("query", query, choice.media_type, *named))


def budget(site: Site) -> Budget:
    """What one query may cost here."""
    known = site.settings
    return Budget(known.query_seconds, known.answer_bytes, known.query_rows)


def reply_to(inquiry: Inquiry, answer: Answer | AsyncAnswer, site: Site) -> Reply:
    """The reply that carries an answer."""
    headers = headers_of(inquiry, site)
    if answer.rest is None:
        return Reply(200, headers, answer.head)
    if isinstance(answer, AsyncAnswer):
        assert answer.rest is not None
        return Reply(200, headers, Joined(answer.head, answer.rest))
    return Reply(200, headers, _joined(answer.head, answer.rest))


def headers_of(inquiry: Inquiry, site: Site) -> tuple[tuple[str, str], ...]:
    """The headers of any answer to this inquiry."""
    always = (
        ("content-type", inquiry.choice.content_type),
        ("vary", "Accept"),
        ("x-release", site.release),
    )
    if not inquiry.etag:
        return (*always, ("cache-control", "no-store"))
    return (*always, ("etag", inquiry.etag), ("cache-control", CACHE))


def _joined(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


class Joined:
    """Head and rest of an answer; closing it closes the rest, whether or not it was begun."""

    def __init__(self, head: bytes, rest: AsyncIterator[bytes]) -> None:
        self.head = head
        self.rest = rest

    def __aiter__(self) -> Joined:
        return self

    async def __anext__(self) -> bytes:
        if self.head:
            head, self.head = self.head, b""
            return head
        return await anext(self.rest)

    async def aclose(self) -> None:
        """Nobody reads on."""
        await self.rest.aclose()  # type: ignore[attr-defined]


# reading the request


def _fields(request: Request) -> Fields:
    """All fields of a request; a direct query becomes the field `query`."""
    if request.method != "POST":
        return request.arguments
    name, parameters = content_type(request.headers.get("content-type", ""))
    if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMedia("only UTF-8 is read here", fix="send the query in UTF-8")
    if name == UPDATE:
        raise Forbidden(READ_ONLY, fix="there is nothing that an update could change here")
    if name not in (FORM, DIRECT):
        raise UnsupportedMedia(
            f"a query does not come as {name or 'a body without a media type'}",
            fix=f"send {DIRECT} or {FORM}",
        )
    try:
        text = request.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("the body is not UTF-8", where=f"byte {error.start}") from error
    own = decode_form(text) if name == FORM else (("query", text),)
    return (*request.arguments, *own)


def _only_query(fields: Fields) -> str | None:
    if len(fields) == 1 and fields[0][0] == "query":
        return fields[0][1]
    names = [name for name, _ in fields]
    if "update" in names:
        raise Forbidden(READ_ONLY, fix="send a query in the field query")
    if names.count("query") > 1:
        raise BadRequest("there is more than one query", fix="send exactly one")
    return next((value for name, value in fields if name == "query"), None)


def _dataset(fields: Fields, found: outline.Outline, site: Site) -> Dataset:
    """The request's dataset, else the query's own where the engine must be told of it.

    The engine merges several FROM graphs without making a set of them; the worker does.
    """
    if len(fields) == 1 and not found.default_sources:
        return WHOLE
    default = tuple(value for name, value in fields if name == "default-graph-uri" and value)
    named = tuple(value for name, value in fields if name == "named-graph-uri" and value)
    for iri in (*default, *named):
        try:
            NamedNode(iri)
        except ValueError as error:
            raise BadRequest("the name of a graph is not an absolute IRI", where=iri) from error
    if default or named:
        return Dataset(default, named)
    if len(found.default_sources) > 1:
        own = _meant(found, found.default_sources, site), _meant(found, found.named_sources, site)
        if None not in (*own[0], *own[1]):
            return Dataset(*(tuple(iri for iri in iris if iri is not None) for iris in own))
    return WHOLE  # a prefix that nobody declared is an error that the engine tells


def _meant(found: outline.Outline, sources: tuple[str, ...], site: Site) -> tuple[str | None, ...]:
    """The IRIs of FROM or FROM NAMED, however they are written."""
    base, prefixes = site.names.iri("/sparql", decoded=True), site.names.prefixes.namespaces
    return tuple(found.meant(source, base, prefixes) for source in sources)


def _refuse_what_we_never_do(found: outline.Outline, site: Site) -> None:
    if found.update and not found.form:
        raise Forbidden(READ_ONLY, where=found.update, fix="only queries are answered")
    for service in found.services:
        if not _service_allowed(service, site.settings.service_hosts):
            raise Forbidden(
                "SERVICE is not followed here: this endpoint never calls another",
                where=service,
                fix="ask each endpoint for itself, or use a client that federates",
            )
    if sources := (*found.default_sources, *found.named_sources):
        for source, iri in zip(sources, _meant(found, sources, site), strict=True):
            if iri is not None:
                _refuse_foreign_graph(source, iri, site)
    if found.lost_variable:
        raise BadRequest(
            f"the engine would lose ?{found.lost_variable}: a sub-query inside"
            f" GRAPH ?{found.lost_variable} must select it",
            fix=f"add ?{found.lost_variable} to its SELECT, or put GRAPH inside the sub-query",
        )


def _refuse_foreign_graph(source: str, iri: str, site: Site) -> None:
    """A graph that is not ours is never fetched; saying so is better than an empty answer."""
    if not site.is_graph(iri):
        raise Forbidden(
            "this graph is not in the release, and graphs are never fetched",
            where=source,
            fix="name a graph that `SELECT DISTINCT ?g { GRAPH ?g {} }` lists",
        )


def _service_allowed(service: str, hosts: tuple[str, ...]) -> bool:
    match = re.fullmatch(r"<https?://([^/?#@]+)(?:[/?#].*)?>", service)
    return match is not None and match[1].lower() in hosts


def offered(form: str) -> tuple[Format, ...]:
    """The formats that the answer to a query of this form can have."""
    return GRAPHS if form in ("CONSTRUCT", "DESCRIBE") else RESULTS


def _choose(request: Request, form: str) -> Choice:
    rows = offered(form)
    choice = negotiate(request.accept, rows, strict=True)
    if choice is None and not form:
        return Choice(rows[0], rows[0].media_type)  # not a query at all: its syntax error comes
    if choice is None:
        raise NotAcceptable(
            "no format that was asked for can carry this answer",
            offered=tuple(row.media_type for row in rows),
            where=f"Accept: {request.accept}"[:200],
            fix="accept one of: " + ", ".join(row.media_type for row in rows),
        )
    return choice


def answer(site: Site, request: Request) -> Reply | None:
    """The whole path for a thread; None when the service itself is asked about."""
    inquiry = understand(site, request)
    if inquiry is None:
        return None
    found = site.engine.stream(inquiry.question, budget(site))
    return reply_to(inquiry, found, site)


__all__ = ["Inquiry", "MalformedQuery", "answer", "budget", "reply_to", "understand"]
