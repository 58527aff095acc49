"""RSGI → Request: whom to believe about the client and the site's address, and limits on bodies."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import re
import secrets
from functools import lru_cache
from typing import Any

from publisher.errors import BadRequest, NotFound, TooLarge
from publisher.protocol import Request
from publisher.settings import Settings

_HOST = re.compile(r"[A-Za-z0-9._-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
# what supervisors ask for, under any mount
PROBES = ("/health", "/metrics")
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Door:
    """Makes requests; knows the mount prefix and the trusted proxies."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.prefix = settings.prefix.rstrip("/")
        self.site_url = settings.site_url.rstrip("/")
        self.trusted = tuple(
            ipaddress.ip_network(t, strict=False) for t in settings.trusted_proxies
        )
        self.ids = itertools.count(1)
        self._base = lru_cache(maxsize=256)(self._find_base)
        self.own = secrets.token_hex(4)

    def request(self, scope: Any, headers: dict[str, str]) -> Request:
        """The request, without its body; NotFound outside the mount."""
        peer = scope.client.rpartition(":")[0].strip("[]")
        forwarded = headers if self._trusts(peer) else {}
        path: str = scope.path
        if path == self.prefix or path.startswith(self.prefix + "/"):
            path = path[len(self.prefix) :] or "/"
        elif path not in PROBES:
            raise NotFound("this site is mounted elsewhere", fix=f"see {self.prefix}/")
        return Request(
            method=scope.method,
            path=path,
            query_string=scope.query_string,
            headers=headers,
            client=self._client(peer, forwarded),
            base_url=self._base(
                scope.scheme,
                scope.authority or headers.get("host", ""),
                forwarded.get("x-forwarded-proto", ""),
                forwarded.get("x-forwarded-host", ""),
                scope.server,
            ),
            prefix=self.prefix,
            id=self._id(forwarded),
        )

    def _trusts(self, peer: str) -> bool:
        if not self.trusted:
            return False
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.trusted)

    def _client(self, peer: str, forwarded: dict[str, str]) -> str:
        """The last address in the chain that is not one of our proxies."""
        chain = [part.strip() for part in forwarded.get("x-forwarded-for", "").split(",")]
        for address in reversed([part for part in chain if part]):
            bare = address.strip("[]") if address.count(":") != 1 else address.partition(":")[0]
            if not self._trusts(bare):
                return bare[:64]
        return peer

    def _find_base(self, scheme: str, host: str, proto: str, named: str, own: str) -> str:
        """The site's address, by what the request and the proxy say of it."""
        if self.site_url:
            return self.site_url
        scheme = (proto or scheme).split(",")[0].strip().lower()
        host = named.split(",")[0].strip() or host
        if not _HOST.fullmatch(host):
            host = own
        return f"{'https' if scheme == 'https' else 'http'}://{host}{self.prefix}"

    def _id(self, forwarded: dict[str, str]) -> str:
        given = forwarded.get("x-request-id", "")
        return given if _ID.fullmatch(given) else f"{self.own}{next(self.ids):08x}"

    async def body(self, protocol: Any, headers: dict[str, str]) -> bytes:
        """The whole body, within its limits of size and time."""
        limit = self.settings.body_bytes
        stated = headers.get("content-length", "")
        too_large = TooLarge(f"the body is larger than {limit} bytes", fix="send less")
        if stated.isdigit() and int(stated) > limit:
            raise too_large
        found = bytearray()
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                async for piece in protocol:
                    found += piece
                    if len(found) > limit:
                        raise too_large
        except TimeoutError:
            raise BadRequest("the body did not arrive in time", fix="send it faster") from None
        if stated.isdigit() and len(found) != int(stated):
            raise BadRequest("the body ended early")
        return bytes(found)
