"""How a web process and its workers talk: frames tagged with the number of the question.

The tag is what keeps bytes of one user's answer out of the next one's: a frame with another number
is a fault of the worker, and ends it.
"""

from __future__ import annotations

import struct

HEADER = struct.Struct("!IcI")
READY = b"R"
DATA = b"D"
END = b"E"
FAULT = b"F"
ASK = b"Q"
# what a worker collects before it sends, and what is held back before a status is sent
CHUNK = 64 * 1024


def pack(number: int, kind: bytes, payload: bytes = b"") -> bytes:
    """One frame."""
    return HEADER.pack(number, kind, len(payload)) + payload
