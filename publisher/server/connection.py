"""Cutting a connection in the middle of a reply.

granian ends a chunked body properly even when its application raises, so a cut answer would look
whole. The only way to say "this broke" after the first byte is to break the connection, and the
only handle on it is the socket that has the client's address.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct

FOLDER = "/dev/fd"


def cut(client: str, *, reset: bool) -> bool:
    """End the connection from `client` (`address:port`); False when it was gone already.

    `reset` is for HTTP/1.0, where the end of the connection is the end of a whole body.
    """
    address, _, port = client.rpartition(":")
    if not port.isdigit():
        return False
    for name in os.listdir(FOLDER):  # noqa: PTH208 - names, not paths
        found = _socket(name)
        if found is None:
            continue
        with found:
            if _peer(found) == (address.strip("[]"), int(port)):
                _end(found, reset)
                return True
    return False


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
