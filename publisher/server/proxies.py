"""What trusted proxies say of a request: whose it is, and under which address it was made.

`Forwarded` (RFC 7239), or the X-Forwarded-For, -Proto, -Host and -Prefix headers; where a request
has one of the latter, the former is not read, so that a client cannot add the kind that its proxy
does not know. Both are lists to which each proxy adds an entry on the right. They are read from
there, for as long as the entries are our own proxies': what stands further left anybody may have
written.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

MOST_ENTRIES = 64
NAMES = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-prefix",
)
_PAIR = re.compile(r'\s*([!#$%&\'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*+)"|([^\s";,]*+))\s*(;|,|\Z)')
_ADDRESS = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d+)?|([0-9.]+)(?::\d+)?|([0-9A-Fa-f:.]+)")
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)+")

Trusts = Callable[[str], bool]
Entry = Mapping[str, str]


class Told(NamedTuple):
    """The client's address; scheme, host and mount path as the client wrote them, where known."""

    client: str
    proto: str = ""
    host: str = ""
    prefix: str = ""


def read(headers: Mapping[str, str], peer: str, trusts: Trusts) -> Told:
    """What the headers say, when they come from a trusted peer."""
    found = {name: headers[name] for name in NAMES if name in headers}
    if not found:
        return Told(peer)
    if set(found) == {"forwarded"}:
        return _forwarded(entries(found["forwarded"]), peer, trusts)
    chain = _listed(found.get("x-forwarded-for", ""))
    client, hops = peer, 0
    for address in map(bare, reversed(chain)):
        client = address or client
        if not trusts(address):
            break
        hops += 1
    prefix = _listed(found.get("x-forwarded-prefix", ""))
    return Told(
        client,
        _of_outermost(_listed(found.get("x-forwarded-proto", "")), hops),
        _of_outermost(_listed(found.get("x-forwarded-host", "")), hops),
        "".join(clean_prefix(part) for part in prefix),
    )


def _forwarded(chain: list[Entry], peer: str, trusts: Trusts) -> Told:
    """The entry of the outermost proxy of ours tells how the client asked."""
    client = peer
    last: dict[str, str] = {}
    for entry in reversed(chain):
        last = dict(entry)
        address = bare(entry.get("for", ""))
        client = address or client
        if not trusts(address):
            break
    return Told(client, last.get("proto", ""), last.get("host", ""))


def entries(header: str) -> list[Entry]:
    """The entries of a Forwarded header; none of one that is not well-formed.

    >>> entries('for="[::1]:80";proto=https, for=192.0.2.1')
    [{'for': '[::1]:80', 'proto': 'https'}, {'for': '192.0.2.1'}]
    """
    found: list[dict[str, str]] = [{}]
    place = 0
    while place < len(header):
        match = _PAIR.match(header, place)
        if match is None or len(found) > MOST_ENTRIES:
            return []
        quoted, token = match[2], match[3]
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token
        found[-1][match[1].lower()] = value
        if match[4] == ",":
            found.append({})
        place = match.end()
    return [entry for entry in found if entry]


def bare(address: str) -> str:
    """An address without its port; empty for `unknown` and whatever else is none.

    >>> bare("[2001:db8::1]:4711")
    '2001:db8::1'
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return ""
    try:
        return str(ipaddress.ip_address(match[1] or match[2] or match[3]))
    except ValueError:
        return ""


def clean_prefix(prefix: str) -> str:
    """A path like `/kg`; empty for what must not stand in a link.

    >>> clean_prefix("/kg/"), clean_prefix("//evil.example")
    ('/kg', '')
    """
    found = prefix.rstrip("/")
    return found if _PREFIX.fullmatch(found) else ""


def _listed(header: str) -> list[str]:
    parts = [part.strip() for part in header.split(",")[-MOST_ENTRIES:]]
    return [part for part in parts if part]


def _of_outermost(values: list[str], hops: int) -> str:
    """Of values that each proxy added to, the one of our outermost proxy."""
    return values[max(-len(values), -1 - hops)] if values else ""
