"""What granian cannot do with a connection: cut it, and wait until its client has taken something.

granian ends a chunked body properly even when its application raises, so a cut answer would look
whole. The only way to say "this broke" after the first byte is to break the connection. And what is
handed to it for a stream is queued without a bound, however slowly the client reads. The only
handle for either is the socket that has the client's address.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import struct

FOLDER = "/dev/fd"
# what is handed over before anybody looks whether it was taken
FREE = 1 << 20
# seconds between looks
FIRST_LOOK, LAST_LOOK = 0.001, 0.05


def cut(client: str, *, reset: bool) -> bool:
    """End the connection from `client` (`address:port`); False when it was gone already.

    `reset` is for HTTP/1.0, where the end of the connection is the end of a whole body.
    """
    found = find(client)
    if found is None:
        return False
    with found:
        _end(found, reset)
    return True


def find(client: str) -> socket.socket | None:
    """A socket of our own for the connection from `client`, to be closed by who asked for it."""
    address, _, port = client.rpartition(":")
    if not port.isdigit():
        return None
    wanted = (address.strip("[]"), int(port))
    for name in os.listdir(FOLDER):  # noqa: PTH208 - names, not paths
        found = _socket(name)
        if found is None:
            continue
        if _peer(found) == wanted:
            return found
        found.close()
    return None


class Flow:
    """How fast a client takes a stream: hand over, then wait for `room`."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.handed = 0
        self.socket: socket.socket | None = None
        self.poll: select.poll | None = None

    def hand(self, size: int) -> bool:
        """Note that so many bytes were handed over; whether there is room for more."""
        self.handed += size
        if self.handed <= FREE:
            return True
        if self.poll is None:
            self.socket, self.poll = find(self.client), select.poll()
            if self.socket is not None:
                self.poll.register(self.socket, select.POLLOUT)
        return self._is_writable()

    def _is_writable(self) -> bool:
        """The server writes into its socket whatever it has: one that is not full has taken all.

        True for a connection that is gone, too: handing over the next piece will tell.
        """
        assert self.poll is not None
        return self.socket is None or bool(self.poll.poll(0))

    async def room(self) -> None:
        """Return when the client has taken what was handed over, but for a socket's buffer.

        Looking now and then is right: at the moment in which a full socket becomes writable,
        the server has not yet written on.
        """
        pause = FIRST_LOOK
        while not self._is_writable():
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_LOOK)

    def close(self) -> None:
        """Let go of the socket."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def _socket(descriptor: str) -> socket.socket | None:
    with contextlib.suppress(OSError, ValueError):
        copy = os.dup(int(descriptor))
        try:
            return socket.socket(fileno=copy)
        except OSError:
            os.close(copy)
    return None


def _peer(found: socket.socket) -> tuple[str, int] | None:
    if found.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    with contextlib.suppress(OSError):
        host, port = found.getpeername()[:2]
        return str(host), int(port)
    return None


def _end(found: socket.socket, reset: bool) -> None:
    with contextlib.suppress(OSError):
        if reset:
            # with no lingering, closing sends RST: the client sees an error, not an end
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            found.shutdown(socket.SHUT_RD)
        else:
            found.shutdown(socket.SHUT_RDWR)
