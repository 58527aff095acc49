"""What one client may use: query seconds and errors per minute, shared by all serving processes.

A table of fixed size in a shared file: one leaky bucket per client, found by a keyed hash. Two
processes that write one row at once may lose an update; that makes the limit a little lenient,
which costs less than a lock on every request.
"""

from __future__ import annotations

import hashlib
import ipaddress
import mmap
import os
import struct
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from publisher.errors import TooManyRequests

_ROW = struct.Struct("=Qddd")
ROWS = 1 << 14
MINUTE = 60.0


class Shares:
    """The buckets: they fill with use and leak away within a minute."""

    def __init__(
        self,
        file: Path,
        *,
        seconds: float,
        errors: float,
        loopback: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self.errors = errors
        self.loopback = loopback
        self.now = now
        size = _ROW.size * ROWS
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, size)
            self.table = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        # who cannot know the key cannot choose addresses that share a row
        self._key = str(file).encode()[-64:]

    def admit(self, client: str) -> None:
        """Raise TooManyRequests when the client used up its share."""
        if not self._counts(client):
            return
        _, _, used, failed = self._row(client)
        over = [
            (used - self.seconds) / self.seconds if self.seconds else 0.0,
            (failed - self.errors) / self.errors if self.errors else 0.0,
        ]
        if max(over) >= 0 and ((self.seconds and over[0] >= 0) or (self.errors and over[1] >= 0)):
            wait = max(1, round(MINUTE * max(over)) + 1)
            raise TooManyRequests(
                f"this client used up its share: {self.seconds:g} seconds of query time and"
                f" {self.errors:g} failed queries each minute",
                retry_after=wait,
                fix=f"wait {wait} seconds, ask cheaper queries, or take a download",
            )

    def spend(self, client: str, seconds: float, *, failed: bool = False) -> None:
        """Count what a query took."""
        if self._counts(client):
            place, key = self._place(client)
            _, _, used, errors = self._row(client)
            row = (key, self.now(), used + seconds, errors + failed)
            _ROW.pack_into(self.table, place, *row)

    def _counts(self, client: str) -> bool:
        return bool(client) and (self.loopback or not _is_loopback(client))

    def _place(self, client: str) -> tuple[int, int]:
        digest = hashlib.blake2b(network_of(client).encode(), digest_size=8, key=self._key)
        key = int.from_bytes(digest.digest(), "big")
        return key % ROWS * _ROW.size, key

    def _row(self, client: str) -> tuple[int, float, float, float]:
        """The client's bucket as it stands now; a row of somebody else's counts as empty."""
        place, key = self._place(client)
        found, when, used, failed = _ROW.unpack_from(self.table, place)
        if found != key:
            return key, self.now(), 0.0, 0.0
        passed = max(0.0, self.now() - when) / MINUTE
        return (
            key,
            when,
            max(0.0, used - passed * self.seconds),
            max(0.0, failed - passed * self.errors),
        )


@lru_cache(maxsize=1024)
def network_of(client: str) -> str:
    """One client is an IPv4 address or an IPv6 /64, of which anybody has 2**64 addresses."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


@lru_cache(maxsize=1024)
def _is_loopback(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return True  # a socket file
