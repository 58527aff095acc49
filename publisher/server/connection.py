"""Connections: bytes in, exchanges out, within limits of size and time (RFC 9112).

httptools (llhttp, Node's parser) reads the bytes, in its strict form: two lengths, a length beside
chunks, folded headers, bare line feeds and blanks before colons are refused. What stands here is
what a parser does not do: one reply after the other, back-pressure both ways, clients that are
slow, silent or gone, and ends that cannot be taken for something else.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, cast

import httptools

from publisher import errors
from publisher.server.exchange import Exchange, Left

HEAD_BYTES = 128 * 1024
MOST_HEADERS = 100
# how much is parsed at once: a reader of pipelined requests must not make thousands of them
HEAD_PIECE, BODY_PIECE = 4096, 64 * 1024
# bytes that wait to be parsed, and to be taken, before the other side has to wait
UNPARSED, UNSENT = 64 * 1024, 256 * 1024
_METHOD_AND_TARGET = re.compile(
    rb"\r?\n?([!-'*+.^_`|~\w-]{1,64}) ([!-~]{1,2000}) HTTP/1\.[01]\r\n", re.ASCII
)
HEAR_SECONDS = 0.3
SWEEP_SECONDS = 0.5
# what is over before this many seconds is finished, even for a client that has hung up
SHORT = 0.03
# how long a connection whose request was not read to its end takes in the rest, so that the client
# reads the reply before it hears of the end
LINGER_SECONDS = 2.0


@dataclass(frozen=True)
class Limits:
    """What one connection may take, in seconds; `most` is the number of connections."""

    most: int = 4096
    header_seconds: float = 15.0
    idle_seconds: float = 60.0
    stall_seconds: float = 60.0


class House:
    """All connections of a serving process.

    `at_once` answers an exchange without waiting, or says no; `serve` answers any, `refuse` one
    whose request made no sense.
    """

    def __init__(
        self,
        serve: Callable[[Exchange], Coroutine[Any, Any, None]],
        at_once: Callable[[Exchange], bool],
        refuse: Callable[[Exchange, errors.PublisherError], None],
        limits: Limits,
    ) -> None:
        self.serve = serve
        self.at_once = at_once
        self.refuse = refuse
        self.limits = limits
        self.loop = asyncio.get_running_loop()
        self.lines: dict[Connection, None] = {}  # the oldest first
        self.is_leaving = False
        self.tasks: set[asyncio.Task[None]] = set()
        self._sweeper = self.loop.call_later(SWEEP_SECONDS, self._sweep)

    def __call__(self) -> Connection:
        """A connection for whoever has come."""
        return Connection(self)

    def enter(self, line: Connection) -> bool:
        """Take a connection in; when the house is full, one that is idle goes for it."""
        if len(self.lines) >= self.limits.most:
            idle = next((one for one in self.lines if one.is_idle), None)
            if idle is None:
                return False
            idle.close()
            self.lines.pop(idle, None)
        self.lines[line] = None
        return True

    def _sweep(self) -> None:
        now = self.loop.time()
        for line in list(self.lines):
            line.look(now)
        self._sweeper = self.loop.call_later(SWEEP_SECONDS, self._sweep)

    async def empty(self, seconds: float) -> None:
        """End the idle ones, wait for the others; what is not over then is cut.

        A request may be on its way over one that looks idle: each has a moment to be heard.
        """
        self.is_leaving = True
        now = self.loop.time()
        heard, until = now + min(HEAR_SECONDS, seconds), now + seconds
        while self.lines and (now := self.loop.time()) < until:
            for line in [one for one in self.lines if one.is_idle and now >= heard]:
                line.close()
            await asyncio.sleep(0.02)
        for line in list(self.lines):
            line.abort()
        self._sweeper.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=1)


class Connection(asyncio.Protocol):
    """One client's. Requests are answered in the order in which they come (RFC 9112, 9.3.2)."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.loop = house.loop
        self.peer = self.server = ""
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)
        self.parser = httptools.HttpRequestParser(self)
        # the head that is being read
        self.target = b""
        self.headers: dict[str, str] = {}
        self.count = self.head_size = 0
        self.is_in_head = False
        self.is_repeating = False
        # what was read and is not answered; `incoming` is the one whose body is still on the way
        self.unparsed = b""
        self.waiting: deque[Exchange] = deque()
        self.incoming: Exchange | None = None
        self.exchange: Exchange | None = None
        self.task: asyncio.Task[None] | None = None
        self.fault: errors.PublisherError | None = None
        self.asked: re.Match[bytes] | None = None
        self.is_advancing = False
        self.is_deaf = False  # nothing more is parsed
        self.is_held = False  # nothing more is received for now
        self.is_closing = False
        self.is_lost = False
        # waiting for the client
        self.is_paused = False
        self.rooms: set[asyncio.Future[None]] = set()
        self.since = 0.0
        self.has_asked = False
        self.unsent = 0
        self.stuck_since = 0.0

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=UNSENT)
        self.peer = _host(self.transport.get_extra_info("peername"))
        self.server = _address(self.transport.get_extra_info("sockname"))
        self.since = self.loop.time()
        if not self.house.enter(self):
            self.house.lines[self] = None
            self._fail(errors.Overloaded("too many connections are open", retry_after=2))
            self.advance()

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        if self.is_deaf:
            return
        self.unparsed = self.unparsed + data if self.unparsed else data
        self.advance()
        if len(self.unparsed) > UNPARSED and not self.is_closing:
            self.is_held = True
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """The client sends no more. Most have hung up; some still read, for a moment."""
        if self.exchange is None and not self.waiting:
            return False
        self.loop.call_later(SHORT, self._hang_up)
        return True

    def _hang_up(self) -> None:
        if not self.is_lost:
            if self.exchange is None:
                self.transport.close()
            else:
                self.abort()

    def connection_lost(self, _: Exception | None) -> None:
        """The client is gone, or was sent away."""
        self.is_lost = self.is_deaf = True
        self.house.lines.pop(self, None)
        self.waiting.clear()
        for room in self.rooms:
            if not room.done():
                room.set_result(None)
        if self.task is not None:
            self.task.cancel()

    def pause_writing(self) -> None:
        """The client takes less than it is given."""
        self.is_paused = True

    def resume_writing(self) -> None:
        """The client has taken enough."""
        self.is_paused = False
        for room in self.rooms:
            if not room.done():
                room.set_result(None)
        self.advance()

    # the parser's side

    def on_message_begin(self) -> None:
        if self.is_repeating:
            return
        self.target, self.headers = b"", {}
        self.count = self.head_size = 0
        self.is_in_head = True
        self.since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        if not self.is_repeating:
            self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.count += 1
        if self.count > MOST_HEADERS:
            self._fail(errors.HeadersTooLarge(f"more than {MOST_HEADERS} headers", fix="send less"))
            raise ValueError("too many headers")
        if not self.is_in_head:
            return  # after a chunked body; nobody here reads those
        key = name.decode("ascii").lower()
        known = self.headers.get(key)
        text = value.decode("latin-1").strip()
        self.headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        if self.is_repeating:
            return
        self.is_in_head = False
        self.has_asked = True
        headers = self.headers
        exchange = Exchange(
            self, self.parser.get_method().decode("ascii"), self.target.decode("ascii"), headers
        )
        exchange.version = self.parser.get_http_version()
        exchange.keeps = self.parser.should_keep_alive() and exchange.method != "CONNECT"
        if "transfer-encoding" in headers or headers.get("content-length", "0").strip("0"):
            exchange.is_whole = False
            exchange.expects = headers.get("expect", "").lower() == "100-continue"
            self.incoming = exchange
        self.waiting.append(exchange)

    def on_body(self, body: bytes) -> None:
        if self.incoming is not None and not self.incoming.is_over:
            self.incoming.put(body)

    def on_message_complete(self) -> None:
        if self.incoming is not None and not self.parser.should_upgrade():
            self.incoming.close_body()
            self.incoming = None

    # one after the other

    @property
    def is_leaving(self) -> bool:
        """Whether this connection carries no further request after the one that is answered."""
        more = self.waiting or self.unparsed or self.fault is not None
        return (self.house.is_leaving or self.is_deaf) and not more

    @property
    def is_idle(self) -> bool:
        """Whether nothing has been asked that is not answered."""
        return (
            self.exchange is None
            and not self.waiting
            and not self.unparsed
            and not self.is_in_head
            and not self.transport.get_write_buffer_size()
        )

    def advance(self) -> None:
        """Parse and answer as much as can be now."""
        if self.is_advancing:
            return
        self.is_advancing = True
        try:
            while not self.is_closing:
                if self.exchange is None and self.waiting and not self.is_paused:
                    self._answer(self.waiting.popleft())
                elif self._may_parse():
                    self._parse()
                elif self.fault is not None and self.exchange is None and not self.waiting:
                    self._tell_fault(self.fault)
                else:
                    break
        finally:
            self.is_advancing = False
        if self.is_held and len(self.unparsed) <= UNPARSED and not self.is_lost:
            self.is_held = False
            self.transport.resume_reading()

    def _may_parse(self) -> bool:
        if not self.unparsed or self.is_deaf:
            return False
        if self.incoming is not None:
            return not self.incoming.is_full
        return self.exchange is None and not self.waiting

    def _parse(self) -> None:
        size = HEAD_PIECE if self.incoming is None else BODY_PIECE
        piece, self.unparsed = self.unparsed[:size], self.unparsed[size:]
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as end:
            self._stay_with_http(piece[end.args[0] :])
        except httptools.HttpParserInvalidMethodError as error:
            # with a request before it, the piece does not begin with this one
            self.asked = None if self.waiting else _METHOD_AND_TARGET.match(piece)
            if self.asked:
                self._fail(errors.MethodNotAllowed("this method is not known here", allowed=()))
            else:
                self._fail(errors.BadRequest(f"this is not HTTP/1.1: {error}"))
        except httptools.HttpParserInvalidURLError:
            self._fail(
                errors.BadRequest(
                    "the address has a character that must not stand there",
                    fix="write it as UTF-8 in percent, such as %C3%A9 for é",
                )
            )
        except httptools.HttpParserError as error:
            self._fail(errors.BadRequest(f"this is not HTTP/1.1: {error}"[:200]))
        if self.is_in_head:
            self.head_size += len(piece)
            if self.head_size > HEAD_BYTES:
                what = f"the headers are larger than {HEAD_BYTES} bytes"
                self._fail(errors.HeadersTooLarge(what, fix="send a long query by POST"))

    def _stay_with_http(self, rest: bytes) -> None:
        """Ignore the wish for another protocol (RFC 9110, section 7.8); Java's client has it.

        The parser ends with the headers there, and takes what follows, the body too, for that
        protocol's. So another one reads on, after a head that announces the same body.
        """
        if self.parser.get_method() == b"CONNECT":
            self.is_deaf = True
            return
        self.parser = httptools.HttpRequestParser(self)
        self.unparsed = rest + self.unparsed
        if self.incoming is not None:
            names = ("content-length", "transfer-encoding")
            known = {name: self.headers[name] for name in names if name in self.headers}
            head = "".join(f"{name}: {value}\r\n" for name, value in known.items())
            self.is_repeating = True
            self.parser.feed_data(f"POST / HTTP/1.1\r\n{head}\r\n".encode())
            self.is_repeating = False

    def _answer(self, exchange: Exchange) -> None:
        self.exchange = exchange
        if exchange.is_whole and self.house.at_once(exchange):
            return
        task = self.loop.create_task(self.house.serve(exchange))
        self.task = task
        self.house.tasks.add(task)
        task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        self.house.tasks.discard(task)
        if self.task is task:
            self.task = None
            if self.exchange is not None:
                self.exchange.cut()  # it ended without a reply
        if not task.cancelled() and (error := task.exception()) is not None:
            self.loop.call_exception_handler({"message": "a request failed", "exception": error})

    def replied(self, exchange: Exchange) -> None:
        """A reply was handed over."""
        self.exchange = self.task = None
        self.since = self.loop.time()
        if not exchange.keeps or not exchange.is_whole:
            self.close(linger=not exchange.is_whole or bool(self.unparsed))
        else:
            self.advance()

    # what goes wrong

    def _fail(self, error: errors.PublisherError) -> None:
        """Nothing more is read here; what was read before is answered first."""
        if self.fault is None:
            self.fault = error
        self.is_deaf = True
        self.is_in_head = False
        self.unparsed = b""
        if self.incoming is not None:  # what makes no sense is its body
            self.incoming.break_body(error)
            self.incoming, self.fault = None, None

    def _tell_fault(self, error: errors.PublisherError) -> None:
        self.fault = None
        method, target = self.asked.groups() if self.asked else (b"GET", b"/")
        exchange = Exchange(self, method.decode("ascii"), target.decode("ascii"), {})
        exchange.keeps = exchange.is_whole = False
        self.exchange = exchange
        self.house.refuse(exchange, error)

    def look(self, now: float) -> None:
        """End what takes too long; called now and then."""
        limits = self.house.limits
        size = self.transport.get_write_buffer_size()
        if size != self.unsent or not size:
            self.unsent, self.stuck_since = size, now
        elif now - self.stuck_since > limits.stall_seconds:
            self.abort(reset=True)
            return
        taken = now - self.since
        if self.is_closing:
            if taken > LINGER_SECONDS and not size:
                self.abort()
        elif self.exchange is None and not self.waiting and not size:
            if self.is_in_head or not self.has_asked:
                if taken > limits.header_seconds:
                    self._time_out()
            elif taken > limits.idle_seconds:
                self.close()

    def _time_out(self) -> None:
        if self.is_in_head:
            self._fail(errors.RequestTimedOut("the headers did not come in time"))
            self.advance()
        else:
            self.close()

    # what exchanges do with the line

    def put(self, data: bytes) -> None:
        """Hand bytes over."""
        if not self.is_lost:
            self.transport.write(data)

    async def room(self) -> None:
        """Return when the client has taken enough; raises Left when it is gone."""
        if self.is_paused and not self.is_lost:
            room: asyncio.Future[None] = self.loop.create_future()
            self.rooms.add(room)
            try:
                await room
            finally:
                self.rooms.discard(room)
        if self.is_lost:
            raise Left

    def close(self, *, linger: bool = False) -> None:
        """End the connection when all has been sent."""
        if self.is_closing or self.is_lost:
            return
        self.is_closing = self.is_deaf = True
        self.unparsed = b""
        self.since = self.loop.time()
        if linger and self.transport.can_write_eof():
            # closing with unread bytes would reset the connection, and the reply might be lost
            self.transport.write_eof()
            if self.is_held:
                self.is_held = False
                self.transport.resume_reading()
        else:
            self.transport.close()

    def abort(self, *, reset: bool = False) -> None:
        """Break the connection."""
        if self.is_lost:
            return
        self.is_closing = self.is_deaf = True
        if reset:
            end: socket.socket | None = self.transport.get_extra_info("socket")
            if end is not None:
                # with no lingering, closing sends RST: the client sees an error, not an end
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def _host(name: Any) -> str:
    """The address of a peer; empty for what has none."""
    return str(name[0]) if isinstance(name, tuple) else ""


def _address(name: Any) -> str:
    """`host:port` of our own end."""
    if not isinstance(name, tuple):
        return "localhost"
    host, port = str(name[0]), name[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
