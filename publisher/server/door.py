"""Exchange → Request: whom to believe about the client and the address; limits on bodies."""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import re
import secrets
from functools import lru_cache

from publisher.errors import BadRequest, NotFound, TooLarge
from publisher.protocol import Request
from publisher.protocol.values import refuse_coded
from publisher.server import proxies
from publisher.server.exchange import Exchange
from publisher.settings import Settings

_HOST = re.compile(r"[A-Za-z0-9._-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
# what RFC 3986 calls a host; empty is allowed where there is no authority
_VALID_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]*+)(?::\d*)?", re.ASCII)
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

    def request(self, exchange: Exchange, name: str) -> Request:
        """The request called `name`, without its body; NotFound outside the mount."""
        client, scheme, named, mount = self.told(exchange)
        host = _only_host(exchange)
        authority, full, query = exchange.split()
        path = self._below(full)
        if not path:
            raise NotFound("this site is mounted elsewhere", fix=f"see {self.prefix}/")
        return Request(
            method=exchange.method,
            path=path,
            query_string=query,
            headers=exchange.headers,
            client=client,
            base_url=self._base(scheme, authority or host, named, mount, exchange.server),
            prefix=mount + self.prefix,
            id=name,
        )

    def told(self, exchange: Exchange) -> tuple[str, str, str, str]:
        """Client, scheme, host, mount path; all but the first are empty without a trusted proxy."""
        peer = exchange.peer
        if self.trusted and self._trusts(peer):
            return proxies.read(exchange.headers, peer, self._trusts)
        return peer, "", "", ""

    def unread(self, exchange: Exchange, name: str) -> Request:
        """The request when it made no sense, for the reply that says so."""
        return Request(
            exchange.method,
            self._below(exchange.split()[1]),
            headers=exchange.headers,
            prefix=self.prefix,
            id=name,
        )

    def _below(self, path: str) -> str:
        """The path below the mount; empty for one that is not there."""
        if path == self.prefix or path.startswith(self.prefix + "/"):
            return path[len(self.prefix) :] or "/"
        return path if path in PROBES else ""

    def _trusts(self, peer: str) -> bool:
        if not self.trusted:
            return False
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.trusted)

    def _find_base(self, scheme: str, host: str, named: str, mount: str, own: str) -> str:
        """The site's address, by what the request and the proxy say of it."""
        if self.site_url:
            return self.site_url
        host = next((name for name in (named, host) if _HOST.fullmatch(name)), own)
        secure = "https" if scheme.lower() == "https" else "http"
        return f"{secure}://{host}{mount}{self.prefix}"

    def name(self, exchange: Exchange) -> str:
        """The request's id in replies and logs; a trusted proxy may have given it one."""
        given = exchange.headers.get("x-request-id") if self.trusted else None
        if given and _ID.fullmatch(given) and self._trusts(exchange.peer):
            return given
        return f"{self.own}{next(self.ids):08x}"

    async def body(self, exchange: Exchange) -> bytes:
        """The whole body, within its limits of size and time."""
        headers = exchange.headers
        refuse_coded(headers)
        limit = self.settings.body_bytes
        stated = headers.get("content-length", "")
        too_large = TooLarge(f"the body is larger than {limit} bytes", fix="send less")
        if stated.isdigit() and int(stated) > limit:
            raise too_large
        found = bytearray()
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                async for piece in exchange.body():
                    found += piece
                    if len(found) > limit:
                        raise too_large
        except TimeoutError:
            raise BadRequest("the body did not arrive in time", fix="send it faster") from None
        return bytes(found)


def _only_host(exchange: Exchange) -> str:
    """The Host header: exactly one, and well-formed (RFC 9112, section 3.2)."""
    host = exchange.headers.get("host")
    if host is None:
        if exchange.version == "1.0":
            return ""
        raise BadRequest("the request has no Host header", fix="send exactly one")
    if not _is_valid(host):  # two of them were joined by a comma and a space
        raise BadRequest("the Host header is not one host", where=host[:200], fix="send one host")
    return host


@lru_cache(maxsize=256)
def _is_valid(host: str) -> bool:
    return _VALID_HOST.fullmatch(host) is not None
