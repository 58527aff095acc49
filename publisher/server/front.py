"""What happens to each request. Read `Front.serve`: remembered, data, a query, else a page."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Hashable, Iterator
from pathlib import Path
from typing import Any, Protocol

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined,unused-ignore]

from publisher import errors, logs
from publisher.engine import simple
from publisher.engine.embedded import Embedded
from publisher.engine.question import AsyncAnswer
from publisher.limits import Shares
from publisher.metrics import PREFIX, Counters, exposition
from publisher.protocol import Reply, Request, Site, delivery, routes, sparql
from publisher.protocol.files import byte_range
from publisher.server.bridge import Bridge
from publisher.server.connection import Flow, cut
from publisher.server.door import Door
from publisher.server.leaving import LastReply
from publisher.server.remembered import Entry, Remembered
from publisher.web import about_endpoint, answered, told

log = logging.getLogger("publisher.served")

ENDPOINT = ("/sparql", "/sparql/")
METERED = ("/query", "/reconcile", "/validate")
SMALL_QUERY = 4096
# work that is over before this many seconds is not watched over
SHORT = 0.03
# what decides the bytes of a reply, beside the address
TELLING = ("accept", "accept-encoding", "host", "range")


class Left(Exception):
    """The client went away; there is nobody to answer."""


class Conversation(Protocol):
    """The part of granian's protocol object that is used here."""

    def client_disconnect(self) -> Any: ...
    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...
    def response_file(self, status: int, headers: list[tuple[str, str]], file: str) -> None: ...
    def response_file_range(
        self, status: int, headers: list[tuple[str, str]], file: str, start: int, end: int
    ) -> None: ...
    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Any: ...


class Front:
    """One per serving process."""

    def __init__(
        self, site: Site, bridge: Bridge, shares: Shares, counters: Counters, door: Door
    ) -> None:
        self.site = site
        self.bridge = bridge
        self.shares = shares
        self.counters = counters
        self.door = door
        self.replies = Remembered(site.settings.cache_bytes)
        self.answers = Remembered(site.settings.cache_bytes)
        self.budget = sparql.budget(site)
        self.verbose = log.isEnabledFor(logging.INFO)
        self.leaving = False

    async def serve(self, scope: Any, protocol: Conversation) -> None:
        """One request, from the door to the last byte."""
        began = time.perf_counter()
        if self.leaving:
            protocol = LastReply(protocol)
        headers = self.door.headers(scope)
        name = self.door.name(scope, headers)
        key = self._key(scope, headers)
        entry = self.replies.get(key) if key is not None else None
        if entry is not None:
            self._again(entry, headers, protocol, name)
            self._note(scope, entry.status, began, name, "remembered")
            return
        status, note = 500, ""
        try:
            request, reply = await self._reply(scope, protocol, headers, name)
            if key is not None:
                self.replies.keep(key, reply)
            status = reply.status
            if isinstance(reply.body, bytes):
                self._send_whole(reply, reply.body, protocol)
            else:
                await self._send(reply, request, scope, protocol)
        except (Left, ProtocolClosed, asyncio.CancelledError):
            status, note = 499, "left"
            self.counters.add(f"{PREFIX}left_total")
        finally:
            self._note(scope, status, began, name, note)

    async def _reply(
        self, scope: Any, protocol: Conversation, headers: dict[str, str], name: str
    ) -> tuple[Request, Reply]:
        """The delivered reply; whatever goes wrong becomes one, too."""
        request: Request | None = None
        try:
            request = self.door.request(scope, headers, name)
            if request.method not in ("GET", "HEAD", "OPTIONS"):
                body = await self.door.body(protocol, headers)
                request = _with_body(request, body)
            reply, final = await self._handle(request, protocol)
        except errors.PublisherError as error:
            request = request or self.door.unread(scope, headers, name)
            reply, final = told(error, request), False
        except (Left, ProtocolClosed):
            raise
        except Exception:
            request = request or self.door.unread(scope, headers, name)
            log.exception("request %s failed", request.id)
            reply, final = told(errors.PublisherError("unexpected"), request), False
        delivered = reply if final else delivery.deliver(reply, request)
        if delivered.body is not reply.body and not delivered.body:
            await _close(reply.body)  # HEAD, or 304
        return request, delivered

    async def _handle(self, request: Request, protocol: Conversation) -> tuple[Reply, bool]:
        """The reply, and whether it was delivered already (Flask does that itself)."""
        if request.method != "GET" and (preflight := answered(request)) is not None:
            return preflight, False
        if request.path in ENDPOINT:
            found = await self._endpoint(request, protocol)
            return (found, False) if found is not None else (await self.bridge.reply(request), True)
        costs = request.method == "POST" or bool(request.query_string)
        if costs and request.path.rstrip("/") in METERED:
            return await self._metered(request), True
        if request.path == "/metrics" and self.site.settings.metrics:
            return self._metrics(), False
        if routes.is_large(self.site, request):
            found = await self.bridge.run(routes.data, self.site, request)
        else:
            found = routes.data(self.site, request)
        return (found, False) if found is not None else (await self.bridge.reply(request), True)

    async def _metered(self, request: Request) -> Reply:
        """A page whose making costs as much as a query does, and counts as one."""
        self.shares.admit(request.client)
        began = time.perf_counter()
        status = 500
        try:
            reply = await self.bridge.reply(request)
            status = reply.status
            return reply
        finally:
            failed = 400 <= status < 500 or status == 504
            self.shares.spend(request.client, time.perf_counter() - began, failed=failed)

    # queries

    async def _endpoint(self, request: Request, protocol: Conversation) -> Reply | None:
        """The answer to a query; None when the editor's page is wanted."""
        try:
            if len(request.query_string) + len(request.body) > SMALL_QUERY:
                inquiry = await self.bridge.run(sparql.understand, self.site, request)
            else:
                inquiry = sparql.understand(self.site, request)
        except errors.RequestError:
            # reading a query costs time, too: what is refused counts as a failed one
            self.shares.admit(request.client)
            self.shares.spend(request.client, 0.0, failed=True)
            raise
        if inquiry is None:
            reply = about_endpoint(self.site, request)
            return None if reply.header("content-type") == "text/html" else reply
        known = self.answers.get(inquiry.etag) if inquiry.etag else None
        if known is not None:
            self.counters.add(f"{PREFIX}cached_total")
            return Reply(200, tuple(known.headers), known.body)
        if inquiry.etag and inquiry.etag in request.headers.get("if-none-match", ""):
            return Reply(200, sparql.headers_of(inquiry, self.site))  # delivery makes it a 304
        self.shares.admit(request.client)
        answer = await self._answer(inquiry, request, protocol)
        reply = sparql.reply_to(inquiry, answer, self.site)
        if inquiry.etag and not simple.read(inquiry.question.query):
            self.answers.keep(inquiry.etag, reply)
        return reply

    async def _answer(
        self, inquiry: sparql.Inquiry, request: Request, protocol: Conversation
    ) -> AsyncAnswer:
        """The answer's beginning; a client that leaves meanwhile ends its query."""
        engine = self.site.engine
        began = time.perf_counter()
        failed = True
        try:
            if not isinstance(engine, Embedded):
                found = await self.bridge.run(engine.stream, inquiry.question, self.budget)
                failed = False
                return AsyncAnswer(found.head, self._from_thread(found.rest))
            here = engine.answer_here(inquiry.question, self.budget)
            if here is not None:
                failed = False
                self.counters.add(f'{PREFIX}queries_total{{place="here"}}')
                return AsyncAnswer(here)
            self.counters.add(f'{PREFIX}queries_total{{place="worker"}}')
            work = engine.pool.answer(inquiry.question, self.budget)
            answer: AsyncAnswer = await _unless_left(work, protocol)
            failed = False
            return answer
        except Left:
            failed = False
            raise
        finally:
            taken = time.perf_counter() - began
            self.counters.add(f"{PREFIX}query_seconds_total", taken)
            self.shares.spend(request.client, taken, failed=failed)

    def _from_thread(self, pieces: Iterator[bytes] | None) -> AsyncIterator[bytes] | None:
        return None if pieces is None else self._threaded(pieces)

    async def _threaded(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        """Pieces that a thread makes, for the event loop."""
        try:
            while (piece := await self.bridge.run(next, pieces, None)) is not None:
                yield piece
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                await self.bridge.run(close)

    # sending

    def _send_whole(self, reply: Reply, body: bytes, protocol: Conversation) -> None:
        if body:
            protocol.response_bytes(reply.status, list(reply.headers), body)
        else:
            protocol.response_empty(reply.status, list(reply.headers))

    async def _send(
        self, reply: Reply, request: Request, scope: Any, protocol: Conversation
    ) -> None:
        headers = list(reply.headers)
        body = reply.body
        assert not isinstance(body, bytes)
        if isinstance(body, Path):
            part = byte_range(reply)
            if part is None:
                protocol.response_file(reply.status, headers, str(body))
            else:
                protocol.response_file_range(reply.status, headers, str(body), *part)
        else:
            pieces = body if isinstance(body, AsyncIterator) else self._threaded(body)
            await self._stream(reply.status, headers, pieces, request, scope, protocol)

    async def _stream(
        self,
        status: int,
        headers: list[tuple[str, str]],
        pieces: AsyncIterator[bytes],
        request: Request,
        scope: Any,
        protocol: Conversation,
    ) -> None:
        """Piece by piece, as fast as the client takes them; a cut answer cuts the connection."""
        line = protocol.response_stream(status, headers)
        flow = Flow(scope.client)
        stall = self.site.settings.stall_seconds
        try:
            while True:
                piece = await _unless_left(_next(pieces), protocol)
                if piece is None:
                    return
                await line.send_bytes(piece)
                if not flow.hand(len(piece)):
                    async with asyncio.timeout(stall):
                        await _unless_left(flow.room(), protocol)
        except (Left, ProtocolClosed):
            raise Left from None
        except BaseException as error:
            self.counters.add(f"{PREFIX}aborted_total")
            log.warning("request %s was cut: %s", request.id, error)
            cut(scope.client, reset=scope.http_version in ("1", "1.0"))
            raise Left from error
        finally:
            flow.close()
            await _close(pieces)

    def _again(
        self, entry: Entry, headers: dict[str, str], protocol: Conversation, name: str
    ) -> None:
        """A remembered reply, or its 304."""
        self.counters.add(f"{PREFIX}cached_total")
        own = ("x-request-id", name)
        wanted = headers.get("if-none-match")
        if wanted is not None and (entry.etag in wanted or wanted.strip() == "*"):
            protocol.response_empty(304, [*entry.brief, own])
        else:
            protocol.response_bytes(entry.status, [*entry.headers, own], entry.body)

    def _key(self, scope: Any, headers: dict[str, str]) -> Hashable:
        """Everything that decides the bytes of a reply to this GET; None for other methods."""
        if scope.method != "GET" or "host" not in headers:
            return None
        path, query, scheme = scope.path, scope.query_string, scope.scheme
        # the authority of an absolute request target decides links, as the Host header does, and
        # so does what a proxy of ours says
        asked = (path, query, scheme, scope.authority, *map(headers.get, TELLING))
        return asked if not self.door.trusted else (*asked, self.door.told(scope, headers)[1:])

    def _note(self, scope: Any, status: int, began: float, name: str, note: str) -> None:
        taken = time.perf_counter() - began
        if status < 499:
            self.counters.add(f'{PREFIX}requests_total{{status="{status // 100}xx"}}')
            self.counters.add(f"{PREFIX}request_seconds_total", taken)
        if self.verbose or status == 500:
            peer = scope.client.rpartition(":")[0]
            line = logs.Served(name, scope.method, scope.path, status, taken * 1000, peer, note)
            logs.served(log, line)

    def _metrics(self) -> Reply:
        engine = self.site.engine
        state = engine.pool.state() if isinstance(engine, Embedded) else {}
        gauges = {
            f'{PREFIX}workers{{state="{name}"}}': ("Queries and processes of this process", value)
            for name, value in state.items()
        }
        release = f'{PREFIX}release{{name="{self.site.release}"}}'
        gauges[release] = ("Triples of the release", self.site.manifest.triples)
        text = exposition(self.counters, {k: (h, float(v)) for k, (h, v) in gauges.items()})
        return Reply(
            200,
            (("content-type", "text/plain; version=0.0.4"), ("cache-control", "no-store")),
            text.encode(),
        )


def _with_body(request: Request, body: bytes) -> Request:
    return Request(
        request.method,
        request.path,
        request.query_string,
        request.headers,
        body,
        request.client,
        request.base_url,
        request.prefix,
        request.id,
    )


async def _close(pieces: object) -> None:
    """Tell whoever makes the pieces that nobody reads on."""
    close = getattr(pieces, "aclose", None)
    if close is not None:
        with contextlib.suppress(Exception):
            await close()


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)


class _Watch:
    """Cancels the task that made it when the client leaves; looks only at what takes a while."""

    def __init__(self, protocol: Conversation) -> None:
        self.protocol = protocol
        self.task = asyncio.current_task()
        self.gone: asyncio.Future[None] | None = None
        self.left = False
        self.timer = asyncio.get_running_loop().call_later(SHORT, self._look)

    def _look(self) -> None:
        self.gone = asyncio.ensure_future(self.protocol.client_disconnect())
        self.gone.add_done_callback(self._tell)

    def _tell(self, gone: asyncio.Future[None]) -> None:
        if not gone.cancelled() and self.task is not None:
            self.left = True
            self.task.cancel()

    def end(self) -> None:
        """Look no more."""
        self.timer.cancel()
        if self.gone is not None:
            self.gone.cancel()


async def _unless_left(work: Any, protocol: Conversation) -> Any:
    """The result of some work, unless the client leaves first: then the work is cancelled."""
    watch = _Watch(protocol)
    try:
        return await work
    except asyncio.CancelledError:
        if watch.left:
            raise Left from None
        raise
    finally:
        watch.end()
