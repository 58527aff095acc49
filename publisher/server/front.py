"""What happens to each request: remembered, data, a query, else a page."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Hashable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from publisher import errors, logs
from publisher.engine.embedded import Embedded
from publisher.engine.question import AsyncAnswer
from publisher.limits import Shares
from publisher.metrics import PREFIX, Counters, exposition
from publisher.protocol import Reply, Request, Site, delivery, routes, sparql
from publisher.protocol.files import byte_range
from publisher.server.bridge import Bridge
from publisher.server.door import Door
from publisher.server.exchange import Exchange, Left
from publisher.server.remembered import Entry, Remembered
from publisher.web import about_endpoint, answered, told

log = logging.getLogger("publisher.served")

ENDPOINT = ("/sparql", "/sparql/")
METERED = ("/query", "/reconcile", "/validate")
SMALL_QUERY = 4096
# bytes of a body that are compressed elsewhere
LARGE = 256 * 1024
FILE_PIECE = 256 * 1024
# what decides the bytes of a reply, beside the address
TELLING = ("accept", "accept-encoding", "host", "range")


@dataclass
class Known:
    """What was found out about a request before it had to wait, and its id."""

    name: str
    request: Request | None = None
    inquiry: sparql.Inquiry | None = None
    reply: Reply | None = None


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

    def at_once(self, exchange: Exchange) -> bool:
        """Answer a GET that needs no waiting: remembered replies, data, bounded questions.

        False for all others; what was found out about them is then in `exchange.known`.
        """
        if exchange.method != "GET":
            return False
        began = time.perf_counter()
        name = self.door.name(exchange)
        key = self._key(exchange)
        if key is not None and (entry := self.replies.get(key)) is not None:
            self._again(exchange, entry, began, name)
            return True
        known = exchange.known = Known(name)
        try:
            known.request = self.door.request(exchange, name)
            known.reply = self._quick(known.request, known)
            if known.reply is None or not _is_small(known.reply):
                return False
        except Exception as error:
            known.reply = self._told(error, exchange, known.request, name)
        request = known.request or self.door.unread(exchange, name)
        self._send_whole(exchange, delivery.deliver(known.reply, request), key)
        self._note(exchange, known.reply.status, began, name, "")
        return True

    def _again(self, exchange: Exchange, entry: Entry, began: float, name: str) -> None:
        """A remembered reply, or its 304."""
        self.counters.add(f"{PREFIX}cached_total")
        wanted = exchange.headers.get("if-none-match")
        fresh = wanted is not None and (entry.etag in wanted or wanted.strip() == "*")
        if fresh:
            exchange.again(entry.brief, name, b"")
        else:
            exchange.again(entry.head, name, entry.body)
        self._note(exchange, 304 if fresh else 200, began, name, "remembered")

    async def serve(self, exchange: Exchange) -> None:
        """One request, from the door to the last byte."""
        began = time.perf_counter()
        known = exchange.known or Known(self.door.name(exchange))
        name = known.name
        status, note = 500, ""
        try:
            request, reply = await self._reply(exchange, known)
            status = reply.status
            if isinstance(reply.body, bytes):
                self._send_whole(exchange, reply, self._key(exchange))
            else:
                await self._send(reply, request, exchange)
        except (Left, asyncio.CancelledError):
            status, note = 499, "left"
            self.counters.add(f"{PREFIX}left_total")
        finally:
            self._note(exchange, status, began, name, note)

    def _send_whole(self, exchange: Exchange, reply: Reply, key: Hashable) -> None:
        assert isinstance(reply.body, bytes)
        try:
            exchange.send(reply.status, reply.headers, reply.body)
        except ValueError:  # a header that is none: nothing was sent
            log.exception("a reply cannot be sent")
            exchange.send(500, delivery.STANDARD)
            return
        if key is not None:
            self.replies.keep(key, reply)

    def refuse(self, exchange: Exchange, error: errors.PublisherError) -> None:
        """The reply to what could not be read as a request."""
        name = self.door.name(exchange)
        request = self.door.unread(exchange, name)
        if isinstance(error, errors.MethodNotAllowed):  # the path says which would be answered
            try:
                answered(request)
            except errors.MethodNotAllowed as known:
                error = known
        reply = delivery.deliver(told(error, request), request)
        assert isinstance(reply.body, bytes)
        exchange.send(reply.status, reply.headers, reply.body)
        self._note(exchange, reply.status, time.perf_counter(), name, "unread")

    async def _reply(self, exchange: Exchange, known: Known) -> tuple[Request, Reply]:
        """The delivered reply; whatever goes wrong becomes one, too."""
        name = known.name
        request, reply, final = known.request, known.reply, False
        try:
            request = request or self.door.request(exchange, name)
            if request.method not in ("GET", "HEAD", "OPTIONS"):
                request = replace(request, body=await self.door.body(exchange))
            if reply is None:
                reply, final = await self._handle(request, known)
        except Left:
            raise
        except Exception as error:
            reply = self._told(error, exchange, request, name)
        request = request or self.door.unread(exchange, name)
        delivered = reply if final else await self._delivered(reply, request)
        if delivered.body is not reply.body and not delivered.body:
            await _close(reply.body)  # HEAD, or 304
        return request, delivered

    def _told(
        self, error: Exception, exchange: Exchange, request: Request | None, name: str
    ) -> Reply:
        """The reply that tells what went wrong; of our own faults, the log has the rest."""
        if not isinstance(error, errors.PublisherError):
            log.error("request %s failed", name, exc_info=error)
            error = errors.PublisherError("unexpected")
        return told(error, request or self.door.unread(exchange, name))

    async def _delivered(self, reply: Reply, request: Request) -> Reply:
        if isinstance(reply.body, bytes) and len(reply.body) > LARGE:
            # compressing it would keep the event loop from everybody else
            with contextlib.suppress(errors.Overloaded):
                found: Reply = await self.bridge.run(delivery.deliver, reply, request)
                return found
        return delivery.deliver(reply, request)

    async def _handle(self, request: Request, known: Known) -> tuple[Reply, bool]:
        """The reply, and whether it was delivered already (Flask does that itself)."""
        if request.method != "GET" and (preflight := answered(request)) is not None:
            return preflight, False
        if request.path in ENDPOINT:
            found = await self._endpoint(request, known.inquiry)
            return (found, False) if found is not None else (await self.bridge.reply(request), True)
        costs = request.method == "POST" or bool(request.query_string)
        if costs and request.path.rstrip("/") in METERED:
            return await self._metered(request), True
        if routes.is_large(self.site, request):
            found = await self.bridge.run(routes.data, self.site, request)
        else:
            found = self._quick(request, known)
        return (found, False) if found is not None else (await self.bridge.reply(request), True)

    def _quick(self, request: Request, known: Known) -> Reply | None:
        """The reply that needs no waiting; None for any other."""
        if request.path in ENDPOINT:
            if len(request.query_string) > SMALL_QUERY:
                return None
            known.inquiry = self._understood(request)
            return self._quick_answer(known.inquiry, request) if known.inquiry else None
        if request.path == "/metrics" and self.site.settings.metrics:
            return self._metrics()
        if request.query_string and request.path.rstrip("/") in METERED:
            return None
        return None if routes.is_large(self.site, request) else routes.data(self.site, request)

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

    def _understood(self, request: Request) -> sparql.Inquiry | None:
        try:
            return sparql.understand(self.site, request)
        except errors.RequestError:
            # reading a query costs time, too: what is refused counts as a failed one
            self.shares.admit(request.client)
            self.shares.spend(request.client, 0.0, failed=True)
            raise

    def _quick_answer(self, inquiry: sparql.Inquiry, request: Request) -> Reply | None:
        """A remembered answer, one that the client has, or one whose work is bounded."""
        known = self.answers.get(inquiry.etag) if inquiry.etag else None
        if known is not None:
            self.counters.add(f"{PREFIX}cached_total")
            return known.reply
        if inquiry.etag and inquiry.etag in request.headers.get("if-none-match", ""):
            return Reply(200, sparql.headers_of(inquiry, self.site))  # delivery makes it a 304
        engine = self.site.engine
        if not isinstance(engine, Embedded):
            return None
        self.shares.admit(request.client)
        began = time.perf_counter()
        body, failed = None, True
        try:
            body = engine.answer_here(inquiry.question, self.budget)
            failed = False
        finally:
            if failed or body is not None:
                self._spent(request, time.perf_counter() - began, failed=failed)
        if body is None:
            return None
        self.counters.add(f'{PREFIX}queries_total{{place="here"}}')
        return sparql.reply_to(inquiry, AsyncAnswer(body), self.site)

    async def _endpoint(self, request: Request, inquiry: sparql.Inquiry | None) -> Reply | None:
        """The answer to a query; None when the editor's page is wanted."""
        if inquiry is None:
            if len(request.query_string) + len(request.body) > SMALL_QUERY:
                inquiry = await self.bridge.run(self._understood, request)
            else:
                inquiry = self._understood(request)
            if inquiry is None:
                reply = about_endpoint(self.site, request)
                return None if reply.header("content-type") == "text/html" else reply
            if (quick := self._quick_answer(inquiry, request)) is not None:
                return quick
        self.shares.admit(request.client)
        reply = sparql.reply_to(inquiry, await self._answer(inquiry, request), self.site)
        if inquiry.etag:
            self.answers.keep(inquiry.etag, reply)
        return reply

    async def _answer(self, inquiry: sparql.Inquiry, request: Request) -> AsyncAnswer:
        """The answer's beginning; a client that leaves meanwhile ends its query."""
        engine = self.site.engine
        began = time.perf_counter()
        failed = True
        try:
            if isinstance(engine, Embedded):
                self.counters.add(f'{PREFIX}queries_total{{place="worker"}}')
                answer = await engine.pool.answer(inquiry.question, self.budget)
            else:
                found = await self.bridge.run(engine.stream, inquiry.question, self.budget)
                answer = AsyncAnswer(found.head, self._from_thread(found.rest))
            failed = False
            return answer
        except asyncio.CancelledError:  # the client left
            failed = False
            raise
        finally:
            self._spent(request, time.perf_counter() - began, failed=failed)

    def _spent(self, request: Request, seconds: float, *, failed: bool) -> None:
        self.counters.add(f"{PREFIX}query_seconds_total", seconds)
        self.shares.spend(request.client, seconds, failed=failed)

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

    async def _send(self, reply: Reply, request: Request, exchange: Exchange) -> None:
        body = reply.body
        assert not isinstance(body, bytes)
        if isinstance(body, Path):
            pieces: AsyncIterator[bytes] = self._threaded(_read(body, *(byte_range(reply) or ())))
        else:
            pieces = body if isinstance(body, AsyncIterator) else self._threaded(body)
        try:
            exchange.begin(reply.status, reply.headers)
            async for piece in pieces:
                await exchange.write(piece)
            exchange.end()
        except (Left, asyncio.CancelledError):
            raise
        except Exception as error:
            self.counters.add(f"{PREFIX}aborted_total")
            log.warning("request %s was cut: %s", request.id, error)
            exchange.cut()
            raise Left from error
        finally:
            await _close(pieces)

    def _key(self, exchange: Exchange) -> Hashable:
        """Everything that decides the bytes of a reply to this GET; None for other methods."""
        headers = exchange.headers
        if exchange.method != "GET" or "host" not in headers:
            return None
        # the target as it was sent: in absolute form, its authority decides links as Host does,
        # and so does what a proxy of ours says
        asked = (exchange.target, *map(headers.get, TELLING))
        return asked if not self.door.trusted else (*asked, self.door.told(exchange)[1:])

    def _note(self, exchange: Exchange, status: int, began: float, name: str, note: str) -> None:
        taken = time.perf_counter() - began
        if status < 499:
            self.counters.add(f'{PREFIX}requests_total{{status="{status // 100}xx"}}')
            self.counters.add(f"{PREFIX}request_seconds_total", taken)
        if self.verbose or status == 500:
            path = exchange.target.partition("?")[0]
            client = self.door.told(exchange)[0]
            line = logs.Served(name, exchange.method, path, status, taken * 1000, client, note)
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


def _read(file: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """A file, or the bytes of it from `start` to before `end`."""
    with file.open("rb") as source:
        source.seek(start)
        left = end - start if end is not None else -1
        while left and (piece := source.read(FILE_PIECE if left < 0 else min(FILE_PIECE, left))):
            left -= len(piece) if left > 0 else 0
            yield piece


def _is_small(reply: Reply) -> bool:
    """Whether it can be sent at once, and compressed without keeping anybody waiting."""
    return isinstance(reply.body, bytes) and len(reply.body) <= LARGE


async def _close(pieces: object) -> None:
    """Tell whoever makes the pieces that nobody reads on."""
    close = getattr(pieces, "aclose", None)
    if close is not None:
        with contextlib.suppress(Exception):
            await close()
