"""One request and its reply, as the front layer sees them: RFC 9112 without the bytes of it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from publisher.errors import PublisherError

if TYPE_CHECKING:
    from publisher.server.connection import Connection

Headers = Sequence[tuple[str, str]]

LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# bytes of a body that wait for their reader before the connection is read no further
UNREAD = 256 * 1024
# below this, one write of head and body together costs less than two
JOINED = 64 * 1024
_LINES = {int(one): f"HTTP/1.1 {int(one)} {one.phrase}\r\n" for one in HTTPStatus}


class Left(Exception):
    """The client went away; there is nobody to answer."""


class Exchange:
    """A request whose headers have come; its body may still be on the way.

    `target` is the request's target as it was sent, `headers` have lower-case names, `peer` is the
    client's address. Exactly one reply is sent: `send`, or `begin` with `write`s and an `end`. What
    ends without one of them is cut.
    """

    __slots__ = (
        "_arrived",
        "_broken",
        "_line",
        "_pieces",
        "_unread",
        "chunked",
        "expects",
        "headers",
        "is_over",
        "is_whole",
        "keeps",
        "known",
        "method",
        "peer",
        "server",
        "target",
        "version",
    )

    def __init__(self, line: Connection, method: str, target: str, headers: dict[str, str]) -> None:
        self._line = line
        self.method = method
        self.target = target
        self.headers = headers
        self.version = "1.1"
        self.peer = line.peer
        self.server = line.server
        self.keeps = True
        self.expects = False
        self.is_whole = True
        self.is_over = False
        self.chunked = False
        # what whoever answers has found out already
        self.known: Any = None
        self._pieces: deque[bytes] | None = None
        self._unread = 0
        self._arrived: asyncio.Future[None] | None = None
        self._broken: PublisherError | None = None

    # what was asked

    def split(self) -> tuple[str, str, str]:
        """Authority, decoded path, and query string as it was sent.

        The authority is there for a target in absolute form, and counts for more than the Host
        header. Bytes of the path that are not UTF-8 become lone surrogates, which nothing has.
        """
        target = self.target.partition("#")[0]
        authority = ""
        if not target.startswith("/") and "://" in target:
            authority, slash, rest = target.partition("://")[2].partition("/")
            authority, mark, query = authority.partition("?")
            target = slash + rest if slash else f"/{mark}{query}"
        path, _, query = target.partition("?")
        if "%" in path:
            path = unquote_to_bytes(path).decode("utf-8", "surrogateescape")
        return authority.rpartition("@")[2], path, query

    # its body

    def put(self, piece: bytes) -> None:
        """A piece of the body has come."""
        if self._pieces is None:
            self._pieces = deque()
        self._pieces.append(piece)
        self._unread += len(piece)
        self._tell()

    def close_body(self) -> None:
        """All of the body has come."""
        self.is_whole = True
        self._tell()

    def break_body(self, error: PublisherError) -> None:
        """The rest of the body cannot be read; who reads it gets the error."""
        self._broken = error
        self._tell()

    def _tell(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    @property
    def is_full(self) -> bool:
        """Whether enough of the body waits for its reader."""
        return self._unread > UNREAD

    async def body(self) -> AsyncIterator[bytes]:
        """The pieces of the body as they come."""
        if self.expects and not self.is_whole and not self._unread:
            self._line.put(CONTINUE)
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._unread -= len(piece)
                self._line.advance()
                yield piece
            if self.is_whole:
                return
            if self._broken is not None:
                raise self._broken
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived

    # the reply

    def send(self, status: int, headers: Headers, body: bytes = b"") -> None:
        """A whole reply. To HEAD, `headers` give the length that GET's body has."""
        is_bare = self.method == "HEAD" or status < 200 or status in (204, 304)
        self._put(self._head(status, headers, None if is_bare else len(body)), body)

    def again(self, block: bytes, name: str, body: bytes) -> None:
        """A reply whose status line and headers were written before."""
        own = f"x-request-id: {name}\r\n{self._closing()}{today()}\r\n".encode()
        self._put(block + own, body)

    def _put(self, head: bytes, body: bytes) -> None:
        if len(body) < JOINED:
            self._line.put(head + body)
        else:
            self._line.put(head)
            self._line.put(body)
        self._finish()

    def begin(self, status: int, headers: Headers) -> None:
        """The head of a reply whose body follows in pieces."""
        known = "content-length" in dict(headers)
        self.chunked = not known and self.version == "1.1" and self.method != "HEAD"
        self.keeps = self.keeps and (known or self.chunked)
        more = (("transfer-encoding", "chunked"),) if self.chunked else ()
        self._line.put(self._head(status, (*headers, *more), None))

    async def write(self, piece: bytes) -> None:
        """A piece of the body; returns when the client has taken enough of what went before.

        Raises Left when the client is gone.
        """
        if piece and self.method != "HEAD":
            self._line.put(b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece)
        await self._line.room()

    def end(self) -> None:
        """The body was whole."""
        if self.chunked:
            self._line.put(LAST_CHUNK)
        self._finish()

    def cut(self) -> None:
        """Break the connection, so that the part that was sent cannot look whole."""
        self.is_over = True
        # where the end of the connection is the end of the body, only a reset is no end
        self._line.abort(reset=not self.chunked)

    def _finish(self) -> None:
        self.is_over = True
        self._line.replied(self)

    def _head(self, status: int, headers: Headers, length: int | None) -> bytes:
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
            raise ValueError("a header has several lines")
        if length is not None and "content-length: " not in lines:
            lines += f"content-length: {length}\r\n"
        return f"{_LINES[status]}{lines}{self._closing()}{today()}\r\n".encode("latin-1")

    def _closing(self) -> str:
        self.keeps = self.keeps and self.is_whole and not self._line.is_leaving
        if not self.keeps:
            return "connection: close\r\n"
        return "connection: keep-alive\r\n" if self.version == "1.0" else ""


def block(status: int, headers: Headers) -> bytes:
    """Status line and headers for `Exchange.again`."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    return f"{_LINES[status]}{lines}".encode("latin-1")


def today() -> str:
    """The Date line of this second (RFC 9110, section 6.6.1)."""
    return _date(int(time.time()))


@lru_cache(maxsize=1)
def _date(now: int) -> str:
    return f"date: {formatdate(now, usegmt=True)}\r\n"
