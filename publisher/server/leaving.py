"""How a serving process goes when another release is followed: no request may be lost.

A connection that granian has accepted but not read from is closed when it is told to stop, and with
it the request that is on its way. So a process that leaves first stops accepting (the others share
its listening socket) and says `connection: close` in every reply, so that clients come back to one
of the others. It is told to stop only when what is still open has been idle for a while.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from typing import Any

from publisher.server.connection import FOLDER

SIGNAL = signal.SIGUSR1
SECONDS = 2.5
CLOSE = ("connection", "close")

Headers = list[tuple[str, str]]


def stop_accepting() -> int:
    """Put a deaf socket in place of each listening one; how many there were.

    granian has no call for this. The descriptor stays, so that nothing in it breaks; what is behind
    it is a socket that nobody can reach. The other processes keep the real one, and its queue.
    """
    found = 0
    for name in os.listdir(FOLDER):  # noqa: PTH208 - names, not paths
        family = _listening(int(name)) if name.isdigit() else None
        if family is not None:
            with _deaf(family) as deaf:
                os.dup2(deaf.fileno(), int(name))
            found += 1
    return found


def _listening(descriptor: int) -> socket.AddressFamily | None:
    """The family of a listening socket; None for anything else."""
    with contextlib.suppress(OSError):
        copy = os.dup(descriptor)
        try:
            known = socket.socket(fileno=copy)
        except OSError:
            os.close(copy)
            return None
        with known:
            if known.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return socket.AddressFamily(known.family)
    return None


def _deaf(family: socket.AddressFamily) -> socket.socket:
    """Listening where nobody calls: accepting from it waits for ever."""
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setblocking(False)
    made.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    made.listen(1)
    return made


class LastReply:
    """A conversation that ends with its reply."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __aiter__(self) -> Any:
        return aiter(self.inner)

    def response_empty(self, status: int, headers: Headers) -> None:
        """As granian's, like those below."""
        self.inner.response_empty(status, [*headers, CLOSE])

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole body."""
        self.inner.response_bytes(status, [*headers, CLOSE], body)

    def response_file(self, status: int, headers: Headers, file: str) -> None:
        """A file."""
        self.inner.response_file(status, [*headers, CLOSE], file)

    def response_file_range(
        self, status: int, headers: Headers, file: str, start: int, end: int
    ) -> None:
        """A part of a file."""
        self.inner.response_file_range(status, [*headers, CLOSE], file, start, end)

    def response_stream(self, status: int, headers: Headers) -> Any:
        """Piece by piece."""
        return self.inner.response_stream(status, [*headers, CLOSE])
