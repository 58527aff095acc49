"""The one table of formats, and content negotiation after RFC 9110 as a pure function."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, eq=False)  # rows are compared as what they are: the rows of one table
class Format:
    """One row: `carries` is what it can hold, `aliases` are other names clients use for it."""

    name: str
    media_type: str
    suffix: str
    carries: str
    aliases: tuple[str, ...] = ()


RESULTS = (
    Format("json", "application/sparql-results+json", "srj", "results", ("application/json",)),
    Format(
        "xml", "application/sparql-results+xml", "srx", "results", ("application/xml", "text/xml")
    ),
    Format("csv", "text/csv", "csv", "results"),
    Format("tsv", "text/tab-separated-values", "tsv", "results"),
)
GRAPHS = (
    Format("turtle", "text/turtle", "ttl", "graph", ("application/turtle", "application/x-turtle")),
    Format("ntriples", "application/n-triples", "nt", "graph", ("text/plain",)),
    Format(
        "rdfxml", "application/rdf+xml", "rdf", "graph", ("application/xml", "text/xml", "text/rdf")
    ),
    Format("jsonld", "application/ld+json", "jsonld", "graph", ("application/json",)),
    Format("nquads", "application/n-quads", "nq", "dataset", ("text/x-nquads",)),
    Format("trig", "application/trig", "trig", "dataset", ("application/x-trig",)),
)
HTML = Format("html", "text/html", "html", "page", ("application/xhtml+xml",))

TABLE = (*RESULTS, *GRAPHS, HTML)
BY_NAME = {row.name: row for row in TABLE}
BY_SUFFIX = {row.suffix: row for row in TABLE}


@dataclass(frozen=True)
class Choice:
    """What negotiation settled on: the format, and the media type to name it by."""

    format: Format
    media_type: str

    @property
    def content_type(self) -> str:
        """The value of Content-Type; only text/* needs a charset (RFC 6838), an alias too."""
        kind = self.media_type
        return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


@dataclass(frozen=True)
class Range:
    """One element of an Accept header."""

    type: str
    subtype: str
    quality: float
    parameters: tuple[tuple[str, str], ...]

    def specificity(self, media_type: str) -> int:
        """How closely this range fits a media type; 0 when it does not fit at all."""
        main, _, sub = media_type.partition("/")
        if self.type == "*":
            return 1
        if self.type != main:
            return 0
        if self.subtype == "*":
            return 2
        if self.subtype != sub or not all(map(_harmless, self.parameters)):
            return 0
        return 3 + len(self.parameters)


_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_ELEMENT = re.compile(rf"(?:[^,\"]|{_QUOTED}|\")++")
_PARAMETER = re.compile(rf"(?:[^;\"]|{_QUOTED}|\")++")
_QUALITY = re.compile(r"(?:0(?:\.\d*)?|1(?:\.0*)?|\.\d+)")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def parse_accept(header: str) -> tuple[Range, ...]:
    """The well-formed elements of an Accept header; the others are passed over."""
    return tuple(
        found for part in _ELEMENT.findall(header) if (found := _parse_range(part)) is not None
    )


def negotiate(
    accept: str | None, offered: Sequence[Format], *, strict: bool = False
) -> Choice | None:
    """The best offer for an Accept header, or None when nothing offered fits.

    The most specific range that fits an offer decides its quality (so `q=0` excludes it whatever a
    wildcard says); between offers of one quality the more specific range wins, then our order. A
    header without any well-formed element asks for nothing in particular, or, when `strict`, for
    something that nobody offers.

    >>> negotiate("text/*;q=0.5, application/ld+json", GRAPHS).format.name
    'jsonld'
    >>> negotiate("image/png", GRAPHS) is None
    True
    """
    return _negotiate((accept or "").strip()[:8192], tuple(offered), strict)


@lru_cache(maxsize=4096)
def _negotiate(accept: str, offered: tuple[Format, ...], strict: bool) -> Choice | None:
    ranges = parse_accept(accept)
    if not ranges and strict and accept:
        return None
    if not ranges:
        return Choice(offered[0], offered[0].media_type) if offered else None
    ranked = [
        (quality, specificity, -place, Choice(row, media_type))
        for place, (row, media_type) in enumerate(_named(offered))
        for quality, specificity in [_quality(ranges, media_type)]
        if quality > 0
    ]
    return max(ranked, key=lambda entry: entry[:3])[3] if ranked else None


def _named(offered: Iterable[Format]) -> list[tuple[Format, str]]:
    """Every name of every offer: the media types first, so that a wildcard never picks an alias."""
    rows = list(offered)
    return [(row, row.media_type) for row in rows] + [(r, a) for r in rows for a in r.aliases]


def _quality(ranges: tuple[Range, ...], media_type: str) -> tuple[float, int]:
    fitting = [(found, r.quality) for r in ranges if (found := r.specificity(media_type))]
    if not fitting:
        return 0.0, 0
    specificity, quality = max(fitting)
    return quality, specificity


def _parse_range(element: str) -> Range | None:
    name, *rest = [part.strip() for part in _PARAMETER.findall(element)] or [""]
    main, slash, sub = name.lower().partition("/")
    if not (slash and _TOKEN.fullmatch(main) and _TOKEN.fullmatch(sub)) or (
        main == "*" and sub != "*"
    ):
        return None
    quality, parameters = 1.0, []
    for part in rest:
        key, _, value = part.partition("=")
        if key.strip().lower() == "q":
            if not _QUALITY.fullmatch(value.strip()):
                return None
            quality = float(value)
            break  # what follows q are extensions of Accept, not of the media type
        parameters.append((key.strip().lower(), value.strip().strip('"').lower()))
    return Range(main, sub, quality, tuple(parameters))


def _harmless(parameter: tuple[str, str]) -> bool:
    """Whether our answer has this parameter, or does not mind it.

    Everything is UTF-8, JSON-LD comes compacted, a table begins with its names (the parameter
    `header` of RFC 4180, section 3).
    """
    name, value = parameter
    if name == "header":
        return value == "present"
    return value in ("utf-8", "utf8") if name == "charset" else name in ("profile", "version")
