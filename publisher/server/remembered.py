"""Replies that are sent again as they are, least recently used ones forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace

from publisher.protocol import Reply, delivery
from publisher.server.exchange import block

OVERHEAD = 1500
# one large reply must not drive out a thousand small ones
SHARE = 16


@dataclass(frozen=True)
class Entry:
    """A delivered reply, its headers and those of its 304 as they are sent."""

    reply: Reply
    body: bytes
    etag: str
    head: bytes
    brief: bytes
    size: int  # what it takes, its key included


class Remembered:
    """A cache with a bound on its bytes. Releases never change, so nothing in it goes stale."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = 0
        self.entries: OrderedDict[Hashable, Entry] = OrderedDict()

    def get(self, key: Hashable) -> Entry | None:
        """The reply that was kept for this request."""
        found = self.entries.get(key)
        if found is not None:
            self.entries.move_to_end(key)
        return found

    def keep(self, key: Hashable, reply: Reply) -> None:
        """Keep a delivered reply, if it is whole, public, and not too large."""
        body = reply.body
        if reply.status != 200 or not isinstance(body, bytes):
            return
        size = len(body) + OVERHEAD + _length(key)
        if size > self.most // SHARE:
            return
        known = dict(reply.headers)
        tag = known.get("etag")
        if tag is None or "public" not in known.get("cache-control", ""):
            return
        own = tuple(pair for pair in reply.headers if pair[0] != "x-request-id")
        self._forget(key)
        head, brief = block(200, own), block(304, delivery.brief(own))
        self.entries[key] = Entry(replace(reply, headers=own), body, tag, head, brief, size)
        self.size += size
        while self.size > self.most:
            self._forget(next(iter(self.entries)))

    def _forget(self, key: Hashable) -> None:
        old = self.entries.pop(key, None)
        if old is not None:
            self.size -= old.size


def _length(key: Hashable) -> int:
    """The characters of a key: whoever sends long addresses must not fill the memory with them."""
    if isinstance(key, str):
        return len(key)
    return sum(map(_length, key)) if isinstance(key, tuple) else 0
