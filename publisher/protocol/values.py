"""The plain values that every handler takes and gives."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from binascii import a2b_qp
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from publisher import jsonld
from publisher.engine.answers import Wording
from publisher.engine.question import Engine
from publisher.errors import BadRequest, ReleaseDamaged, UnsupportedCoding
from publisher.names import Names, Prefixes
from publisher.settings import Settings

Body = bytes | Path | Iterator[bytes] | AsyncIterator[bytes]
Headers = tuple[tuple[str, str], ...]
MOST_FIELDS = 200
DIGITS = 18
_PLAIN = re.compile(r"(?:[!-$&-<>-~]++|%[0-9A-Fa-f]{2})*+\Z")  # ASCII without blanks and =


@dataclass(frozen=True)
class Request:
    """One request; `path` is decoded and without the mount prefix, header names are lower-case."""

    method: str
    path: str
    query_string: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""
    base_url: str = ""
    prefix: str = ""
    id: str = ""

    @property
    def accept(self) -> str | None:
        """The Accept header."""
        return self.headers.get("accept")

    @cached_property
    def arguments(self) -> tuple[tuple[str, str], ...]:
        """The fields of the query string, decoded once."""
        return decode_form(self.query_string)

    def argument(self, name: str, default: str = "") -> str:
        """The first field of this name."""
        return next((value for key, value in self.arguments if key == name), default)

    def number(self, name: str, default: int, most: int) -> int:
        """The first field of this name as a number; the default for what is none, or too large."""
        found = whole(self.argument(name))
        return default if found is None or found > most else found

    def url(self, path: str) -> str:
        """A path of this site as the client sees it."""
        return self.base_url + path


def whole(text: str) -> int | None:
    """A whole number in ASCII digits; None for all that `int` would choke on, or read otherwise.

    `str.isdigit` is true of a superscript two, and of more digits than `int` takes.

    >>> whole("12"), whole("\u00b2"), whole("9" * 5000)
    (12, None, None)
    """
    return int(text) if len(text) <= DIGITS and text.isascii() and text.isdigit() else None


def decode_form(text: str) -> tuple[tuple[str, str], ...]:
    """`application/x-www-form-urlencoded` → pairs; strict about its encoding and length."""
    fields = text.split("&")
    if len(fields) > MOST_FIELDS:
        raise BadRequest(f"more than {MOST_FIELDS} fields")
    pairs = [field.partition("=") for field in fields if field]
    try:
        return tuple([(_decoded(name), _decoded(value)) for name, _, value in pairs])
    except UnicodeDecodeError as error:
        raise BadRequest(
            "a field is not UTF-8", fix="encode it as UTF-8, then in percent"
        ) from error


def _decoded(text: str) -> str:
    """A sixth of the time that `parse_qsl` takes, which was half of a small query's.

    Quoted-printable is percent encoding with another mark, and its reader is written in C.
    """
    if text.isalnum() and text.isascii():
        return text
    if _PLAIN.match(text):
        return a2b_qp(text.replace("%", "=").replace("+", " ")).decode("utf-8")
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")


def refuse_coded(headers: Mapping[str, str]) -> None:
    """A body that is compressed would be read as what it is not."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedCoding(
            "a compressed body is not read here",
            where=f"Content-Encoding: {coding}"[:200],
            fix="send the body as it is",
        )


@dataclass(frozen=True)
class Reply:
    """One reply. A `body` that is an iterator and raises was cut: it must not look whole."""

    status: int = 200
    headers: Headers = ()
    body: Body = b""

    def header(self, name: str) -> str | None:
        """The first header of this (lower-case) name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def with_headers(self, *more: tuple[str, str]) -> Reply:
        """The same with further headers; one that is there already is replaced."""
        names = {name for name, _ in more}
        kept = tuple(pair for pair in self.headers if pair[0] not in names)
        return replace(self, headers=(*kept, *more))


@dataclass(frozen=True)
class Manifest:
    """What a release says of itself."""

    release: str
    triples: int
    graphs: Mapping[str, int]
    files: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Site:
    """All that handlers need: a release, an engine over it, and settings."""

    release_dir: Path
    manifest: Manifest
    graph: Mapping[str, Any]
    names: Names
    wording: Wording
    engine: Engine
    settings: Settings
    # what the screens opened for this release; lives as long as the release is served
    shelf: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def release(self) -> str:
        """The release's name."""
        return self.manifest.release

    @property
    def title(self) -> str:
        """What the graph is called."""
        dataset = self.graph.get("dataset", {})
        return str(dataset.get("title") or self.graph.get("name") or "Knowledge graph")

    @property
    def name(self) -> str:
        """The name of the graph, with which the names of its files begin."""
        return str(self.graph.get("name", ""))

    @cached_property
    def editions(self) -> frozenset[str]:
        """The editions of the graph that are files of the release."""
        listed = (
            re.fullmatch(r"downloads/(.+)-([^-/.]+)\.owl", name) for name in self.manifest.files
        )
        return frozenset(found[2] for found in listed if found and found[1] == self.name)

    def is_graph(self, iri: str) -> bool:
        """Whether this is the name of one of the release's graphs."""
        return iri in self._graphs

    @cached_property
    def _graphs(self) -> frozenset[str]:
        return frozenset(self.engine.graphs())

    def etag(self, *parts: str) -> str:
        """A strong validator: the same release and representation always give the same."""
        text = "\0".join((self._salt, *parts)).encode("utf-8", "surrogatepass")
        return f'"{hashlib.blake2b(text, digest_size=12).hexdigest()}"'

    @cached_property
    def _salt(self) -> str:
        """Two builds may carry one release name while somebody works on it; their files differ."""
        sums = "".join(str(entry.get("sha256", "")) for entry in self.manifest.files.values())
        return f"{self.release}\0{self.manifest.triples}\0{sums}"


def open_site(release_dir: Path, engine: Engine, settings: Settings) -> Site:
    """The site of a release directory."""
    folder = release_dir.resolve()
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        prefixes = json.loads((folder / "prefixes.json").read_text("utf-8"))
        context = json.loads((folder / "context.jsonld").read_text("utf-8"))
        graph = tomllib.loads((folder / "graph.toml").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ReleaseDamaged(f"a file of the release cannot be read: {error}") from error
    return Site(
        release_dir=folder,
        manifest=Manifest(
            str(manifest["release"]),
            int(manifest["triples"]),
            manifest.get("graphs", {}),
            manifest.get("files", {}),
        ),
        graph=graph,
        names=Names(graph["base"], Prefixes(tuple(prefixes.items()))),
        wording=Wording(prefixes, jsonld.read_context(context)),
        engine=engine,
        settings=settings,
    )
