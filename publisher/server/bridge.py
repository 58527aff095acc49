"""Flask in a bounded set of threads: the front layer's request in, its reply out."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import flask

from publisher.errors import Overloaded
from publisher.protocol import Reply, Request
from publisher.web import HANDED_OVER

WAITING_FOR_EACH = 32


class Bridge:
    """Calls a WSGI application without a server; replies come back with their bodies' pieces."""

    def __init__(self, app: flask.Flask, threads: int) -> None:
        self.app = app
        self.most = threads * WAITING_FOR_EACH
        self.inside = 0
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="pages")

    async def reply(self, request: Request) -> Reply:
        """Flask's reply to a request."""
        found: Reply = await self.run(self._call, request)
        return found

    async def run(self, work: Callable[..., Any], *values: Any) -> Any:
        """Some work in one of the threads; too much of it waiting is refused."""
        if self.inside >= self.most:
            raise Overloaded("too many pages are being made", retry_after=2)
        self.inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, work, *values)
        finally:
            self.inside -= 1

    def _call(self, request: Request) -> Reply:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            started[:] = [int(status.split(" ", 1)[0]), headers]
            return lambda _: None

        pieces = self.app.wsgi_app(environ(request), start_response)
        # Werkzeug calls start_response before it returns
        status, headers = started
        lowered = tuple((name.lower(), value) for name, value in headers)
        return Reply(status, lowered, _body(pieces, dict(lowered)))

    def close(self) -> None:
        """Let the threads end."""
        self.pool.shutdown(wait=False, cancel_futures=True)


def _body(pieces: Iterable[bytes], headers: dict[str, str]) -> bytes | Iterator[bytes]:
    """Whole when its length is known and moderate, else piece by piece."""
    length = headers.get("content-length", "")
    if not length.isdigit() or int(length) > 1 << 20:
        return _closing(pieces)
    try:
        return b"".join(pieces)
    finally:
        _close(pieces)


def _closing(pieces: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        _close(pieces)


def _close(pieces: Any) -> None:
    if hasattr(pieces, "close"):
        pieces.close()


def environ(request: Request) -> dict[str, Any]:
    """The WSGI environment of a request; our own request rides along and is what handlers see."""
    scheme, _, rest = request.base_url.partition("://")
    host = rest.partition("/")[0]
    name, _, port = host.rpartition(":") if host.rpartition(":")[2].isdigit() else (host, "", "")
    headers = {
        f"HTTP_{key.upper().replace('-', '_')}": value
        for key, value in request.headers.items()
        if key not in ("content-type", "content-length", "host")
    }
    return {
        **headers,
        "HTTP_HOST": host,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": request.prefix,
        "PATH_INFO": request.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": request.query_string,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "REMOTE_ADDR": request.client,
        "SERVER_NAME": name or host,
        "SERVER_PORT": port or ("443" if scheme == "https" else "80"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        HANDED_OVER: request,
    }
