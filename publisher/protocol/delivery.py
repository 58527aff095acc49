"""What every reply gets on its way out: validators, ranges, compression, headers."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import brotli
import zstandard

from publisher.protocol.values import Headers, Reply, Request

SMALLEST = 600
COMPRESSIBLE = re.compile(
    r"text/|application/(?:[\w.-]+\+)?(?:json|xml)|application/(?:n-|trig|javascript)|image/svg"
)
SECURITY = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'; manifest-src 'self'",
    ),
    ("cross-origin-resource-policy", "cross-origin"),
)
CORS = (
    ("access-control-allow-origin", "*"),
    (
        "access-control-expose-headers",
        "ETag, Link, Location, Content-Location, Retry-After, X-Request-Id, X-Release",
    ),
)
STANDARD = (*SECURITY, *CORS)
BRIEF = (SECURITY[0], *CORS)
# what a 304 repeats (RFC 9110, section 15.4.5): the rest stands with what the client kept
REPEATED = frozenset(
    ["etag", "cache-control", "vary", "content-location", "expires", *(name for name, _ in BRIEF)]
)
STANDARD_NAMES = frozenset(name for name, _ in STANDARD)
PREFLIGHT = (
    ("access-control-allow-headers", "Accept, Content-Type, If-None-Match, Range, Authorization"),
    ("access-control-max-age", "86400"),
)
CODINGS = ("zstd", "br", "gzip")
_CODING = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q\s*=\s*([0-9.]+))?\s*\Z")
_TAG = re.compile(r'(?:W/)?("[^"]*")')
_NO_TRANSFORM = "no-transform"


class Squeeze(Protocol):
    """A compressor that takes pieces."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def deliver(reply: Reply, request: Request) -> Reply:
    """The reply as it is sent; 304 and HEAD lose their bodies here."""
    reply = _encoded(reply, request)
    if reply.status == 200 and _matches(reply, request):
        reply = Reply(304, tuple(brief(reply.headers)))
    return _complete(reply, request)


def _complete(reply: Reply, request: Request) -> Reply:
    """Headers that every reply has, unless its handler set its own; HEAD loses the body."""
    present = {name for name, _ in reply.headers}
    more: Headers = STANDARD if reply.status != 304 else BRIEF
    if not present.isdisjoint(STANDARD_NAMES):
        more = tuple(pair for pair in more if pair[0] not in present)
    if "x-request-id" not in present and request.id:
        more = (*more, ("x-request-id", request.id))
    body = reply.body
    if isinstance(body, bytes):
        if reply.status != 304 and "content-length" not in present:
            more = (*more, ("content-length", str(len(body))))
        if request.method == "HEAD":
            body = b""
    elif request.method == "HEAD":
        body = b""
    return Reply(reply.status, reply.headers + more, body)


def brief(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of a reply that its 304 repeats."""
    return [pair for pair in headers if pair[0] in REPEATED]


def preflight(allowed: tuple[str, ...]) -> Reply:
    """The answer to OPTIONS: the methods that a 405 names, for browsers as well."""
    names = ", ".join((*allowed, "OPTIONS"))
    return Reply(204, (("allow", names), ("access-control-allow-methods", names), *PREFLIGHT))


def _matches(reply: Reply, request: Request) -> bool:
    wanted = request.headers.get("if-none-match")
    if not wanted or request.method not in ("GET", "HEAD"):
        return False
    tag = reply.header("etag")
    if tag is None:
        return False
    return wanted.strip() == "*" or tag.removeprefix("W/") in _TAG.findall(wanted[:8192])


# compression


@lru_cache(maxsize=512)
def choose_coding(header: str | None, offered: tuple[str, ...]) -> str:
    """The content coding to use; empty for none.

    >>> choose_coding("gzip, br;q=0.5", ("zstd", "br", "gzip"))
    'gzip'
    """
    wishes: dict[str, float] = {}
    for part in (header or "")[:1024].split(","):
        if found := _CODING.match(part):
            try:
                wishes[found[1].lower()] = float(found[2] or 1)
            except ValueError:
                continue
    default = wishes.get("*", 0.0)
    ranked = [(wishes.get(name, default), -place, name) for place, name in enumerate(offered)]
    best = max(ranked, default=(0.0, 0, ""))
    return best[2] if best[0] > 0 and best[0] >= wishes.get("identity", 0.0) else ""


def _encoded(reply: Reply, request: Request) -> Reply:
    body = reply.body
    if isinstance(body, Path) or (isinstance(body, bytes) and len(body) < SMALLEST):
        return reply
    known = dict(reply.headers)
    fits = (
        reply.status not in (204, 206, 304)
        and "content-encoding" not in known
        and _is_compressible(known.get("content-type", ""))
        and _NO_TRANSFORM not in known.get("cache-control", "")
    )
    if not fits:
        return reply
    reply = _varies(reply, "Accept-Encoding", known.get("vary", ""))
    coding = choose_coding(request.headers.get("accept-encoding"), CODINGS)
    if not coding:
        return reply
    reply = reply.with_headers(("content-encoding", coding))
    if (tag := reply.header("etag")) is not None:
        # another coding is another representation
        reply = reply.with_headers(("etag", f'{tag[:-1]}-{coding}"'))
    if isinstance(body, bytes):
        return replace(reply, body=squeeze(body, coding))
    return replace(reply, body=_squeezed(body, coding))


@lru_cache(maxsize=256)
def _is_compressible(kind: str) -> bool:
    return COMPRESSIBLE.match(kind) is not None


def _varies(reply: Reply, name: str, found: str) -> Reply:
    if name.lower() in found.lower():
        return reply
    value = ("vary", f"{found}, {name}" if found else name)
    kept = [pair for pair in reply.headers if pair[0] != "vary"]
    return Reply(reply.status, (*kept, value), reply.body)


def squeeze(body: bytes, coding: str) -> bytes:
    """A whole body, compressed."""
    if coding == "gzip":
        return gzip.compress(body, 6, mtime=0)
    if coding == "br":
        return bytes(brotli.compress(body, quality=5))
    return zstandard.ZstdCompressor(level=6).compress(body)


def _squeezer(coding: str) -> Squeeze:
    """Fast levels: a stream must not hold up the event loop."""
    if coding == "gzip":
        return zlib.compressobj(1, zlib.DEFLATED, 31)
    if coding == "br":
        return _Brotli()
    return zstandard.ZstdCompressor(level=1).compressobj()


class _Brotli:
    """brotli under the names that the others use."""

    def __init__(self) -> None:
        self._inner = brotli.Compressor(quality=1)

    def compress(self, data: bytes) -> bytes:
        return bytes(self._inner.process(data))

    def flush(self) -> bytes:
        return bytes(self._inner.finish())


def _squeezed(
    pieces: Iterator[bytes] | AsyncIterator[bytes] | Path, coding: str
) -> Iterator[bytes] | AsyncIterator[bytes]:
    assert not isinstance(pieces, Path)
    squeezer = _squeezer(coding)
    if isinstance(pieces, AsyncIterator):
        return Squeezed(pieces, squeezer)
    return _squeezed_sync(pieces, squeezer)


def _squeezed_sync(pieces: Iterator[bytes], squeezer: Squeeze) -> Iterator[bytes]:
    for piece in pieces:
        if done := squeezer.compress(piece):
            yield done
    yield squeezer.flush()


class Squeezed:
    """Pieces, compressed; closing it closes what it reads from, whether or not it was begun."""

    def __init__(self, pieces: AsyncIterator[bytes], squeezer: Squeeze) -> None:
        self.pieces = pieces
        self.squeezer = squeezer
        self.ended = False

    def __aiter__(self) -> Squeezed:
        return self

    async def __anext__(self) -> bytes:
        if self.ended:
            raise StopAsyncIteration
        while (piece := await anext(self.pieces, None)) is not None:
            if done := self.squeezer.compress(piece):
                return done
        self.ended = True
        return self.squeezer.flush()

    async def aclose(self) -> None:
        """Nobody reads on."""
        close: Callable[[], Awaitable[None]] | None = getattr(self.pieces, "aclose", None)
        if close is not None:
            await close()
