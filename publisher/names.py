"""Names: prefixes, IRI <-> CURIE <-> path on the site, and the making of new ones.

The only place that builds an IRI or a URL.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, unquote

from publisher.errors import GraphSettings

# What Turtle and SPARQL take after the colon without an escape; a subset on purpose: a name that
# needs an escape is written as a full IRI.
LOCAL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?")
PREFIX = re.compile(r"[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?")


@dataclass(frozen=True)
class Prefixes:
    """The prefix table, in the order of the file.

    >>> table = Prefixes((("ex", "http://example.org/"), ("cat", "http://example.org/cat/")))
    >>> table.compact("http://example.org/cat/Tom"), table.expand("cat:Tom")
    ('cat:Tom', 'http://example.org/cat/Tom')
    """

    pairs: tuple[tuple[str, str], ...]

    @cached_property
    def namespaces(self) -> Mapping[str, str]:
        return dict(self.pairs)

    @cached_property
    def _longest_first(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(self.pairs, key=lambda pair: (-len(pair[1]), pair[0])))

    @cached_property
    def _known(self) -> dict[str, str | None]:
        return {}

    def compact(self, iri: str) -> str | None:
        """The CURIE, or None when no prefix fits or the rest would need an escape."""
        try:
            return self._known[iri]
        except KeyError:
            found = self._known[iri] = self._compact(iri)
            return found

    def _compact(self, iri: str) -> str | None:
        for prefix, namespace in self._longest_first:
            if iri.startswith(namespace):
                rest = iri[len(namespace) :]
                if LOCAL.fullmatch(rest):
                    return f"{prefix}:{rest}"
        return None

    def expand(self, curie: str) -> str | None:
        """The IRI of a CURIE, or None when its prefix is not in the table."""
        prefix, colon, rest = curie.partition(":")
        namespace = self.namespaces.get(prefix)
        return namespace + rest if colon and namespace is not None else None

    def show(self, iri: str) -> str:
        """The CURIE when there is one, else `<iri>`: what a message or a Turtle file says."""
        return self.compact(iri) or f"<{iri}>"


def parse_prefixes(text: str, *, file: str) -> Prefixes:
    """Read `prefix<TAB>namespace` lines; blank lines and lines that start with # are skipped."""
    pairs: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        prefix, _, namespace = line.partition("\t")
        if not PREFIX.fullmatch(prefix) or ":" not in namespace or namespace != namespace.strip():
            raise GraphSettings(
                f"is not a prefix, a tab and a namespace: {line!r}",
                file=file,
                line=number,
                fix="write it like `skos<TAB>http://www.w3.org/2004/02/skos/core#`",
            )
        if prefix in pairs:
            raise GraphSettings(f"prefix {prefix} stands twice", file=file, line=number)
        pairs[prefix] = namespace
    return Prefixes(tuple(pairs.items()))


# most need no quoting, which takes ten times as long
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/:@!$&'()*+,;=-]*\Z")


@dataclass(frozen=True)
class Names:
    """IRIs under one base and their paths on a site."""

    base: str
    prefixes: Prefixes

    def path(self, iri: str) -> str | None:
        """The site's path of one of our IRIs, fragment included; None for a foreign one.

        >>> Names("https://w3id.org/neuromod/", Prefixes(())).path(
        ...     "https://w3id.org/neuromod/ontology#Claim")
        '/ontology#Claim'
        """
        if not iri.startswith(self.base):
            return None
        rest, mark, fragment = iri[len(self.base) :].partition("#")
        if _PLAIN_PATH.match(rest):
            return f"/{rest}{mark}{fragment}"
        return "/" + quote(rest, safe="/:@!$&'()*+,;=~") + (mark + fragment)

    def iri(self, path: str, *, decoded: bool = False) -> str:
        """The IRI that a path stands for; `decoded` when the door decoded it already."""
        rest = path.removeprefix("/")
        return self.base + (rest if decoded else unquote(rest))


def slug(text: str) -> str:
    """Words for a file name: ASCII, lower case, hyphens.

    >>> slug("Parkinson's disease, early-onset")
    'parkinsons-disease-early-onset'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")


def identifier_slug(value: str) -> str:
    """The part of a source's IRI that its identifier leads to; the same for every curator.

    >>> identifier_slug("10.1227/NEU.0b013e318236a57c")
    '10.1227-neu.0b013e318236a57c'
    """
    return re.sub(r"[^a-z0-9._]+", "-", value.lower()).strip("-")


def next_number(taken: Iterable[int]) -> int:
    """The next free number: one above the highest ever used, so that none is used again."""
    return max(taken, default=0) + 1


_DIGITS = re.compile(r"(\d+)")


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that counts: ...2 stands before ...10; a tie is broken by the text itself.

    >>> sorted(["c.10", "c.2", "c.1"], key=natural)
    ['c.1', 'c.2', 'c.10']
    """
    parts = _DIGITS.split(text)
    key = [(1, int(p), p) if i % 2 else (0, 0, p) for i, p in enumerate(parts)]
    return (*key, (2, 0, text))
