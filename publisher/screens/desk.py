"""What every screen has at hand for one release: index, queries, settings; a page's frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from publisher import queries
from publisher.matrix import Facts, Finding
from publisher.pages import MARK, Shell, render
from publisher.protocol.values import Reply, Request, Site, whole
from publisher.queries import Queries
from publisher.resource import Linker
from publisher.search import FILE, Index

HTML = "text/html; charset=utf-8"
CACHE = "public, max-age=60, must-revalidate"
_CLASS_PARENTS = (
    "SELECT ?child ?parent { ?child <http://www.w3.org/2000/01/rdf-schema#subClassOf> ?parent"
    " FILTER(ISIRI(?child) && ISIRI(?parent)) }"
)
# where the settings name none
MENU = (
    {"path": "/search", "word": "Search"},
    {"path": "/queries", "word": "Questions"},
    {"path": "/query", "word": "SPARQL"},
    {"path": "/ontology", "word": "Vocabulary"},
    {"path": "/dataset", "word": "Data"},
)


@dataclass(frozen=True)
class Stance:
    """One way a statement can point: its words and its mark."""

    value: str
    name: str
    heading: str
    plural: str
    mark: str
    side: str


@dataclass(frozen=True)
class Flag:
    """What a reader must know of a source first."""

    word: str
    grave: bool


@dataclass(frozen=True)
class Desk:
    """Opened once for a release."""

    site: Site
    index: Index
    queries: Queries

    @property
    def settings(self) -> Mapping[str, Any]:
        """The graph's settings, as the file says them."""
        return self.site.graph

    def table(self, name: str) -> Mapping[str, Any]:
        """One table of the settings; empty when it is not there."""
        found = self.settings.get(name, {})
        return found if isinstance(found, Mapping) else {}

    def iri(self, curie: str) -> str:
        """The IRI of a CURIE of the settings."""
        return curie if "://" in curie else self.site.names.prefixes.expand(curie) or curie

    def iris(self, curies: Sequence[str]) -> tuple[str, ...]:
        """The IRIs of CURIEs of the settings."""
        return tuple(self.iri(curie) for curie in curies)

    def compact(self, iri: str) -> str:
        """The CURIE of an IRI, or the IRI."""
        return self.site.names.prefixes.compact(iri) or iri

    def linker(self, request: Request) -> Linker:
        """Links as they stand on this mount."""
        return Linker(self.site.names, self.index, request.prefix, self.outward)

    @cached_property
    def outward(self) -> Mapping[str, str]:
        """Properties whose values are identifiers with a public address."""
        rows = self.settings.get("identifiers", [])
        return {
            self.iri(row["property"]): str(row["iri"])
            for row in rows
            if str(row.get("iri", "")).startswith("https://")
        }

    @cached_property
    def stances(self) -> Mapping[str, Stance]:
        """By the IRI of the code."""
        rows = [Stance(**row) for row in self.settings.get("stances", [])]
        return {self.iri(row.value): row for row in rows}

    @cached_property
    def flags(self) -> Mapping[str, Flag]:
        """By the IRI of the code or property."""
        return {self.iri(curie): Flag(**row) for curie, row in self.table("flags").items()}

    @cached_property
    def silent(self) -> frozenset[str]:
        """Values that say nothing."""
        return frozenset(self.iris(self.table("silent").get("values", [])))

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The classes that search knows, in their order."""
        return self.iris(self.table("search").get("kinds", []))

    @cached_property
    def short(self) -> Mapping[str, str]:
        """Class → where a label of it may end in lists."""
        return {self.iri(c): mark for c, mark in self.table("labels").get("short", {}).items()}

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """Design → its place, 1 is the strongest."""
        rows = self.index.fact(str(self.table("matrix").get("designs", "")))
        return {row["design"]: int(row["rank"]) for row in rows}

    @cached_property
    def facts(self) -> Facts:
        """All that evidence maps are made of."""
        known = self.table("matrix")
        row, column = str(known.get("row", "")), str(known.get("column", ""))

        def rows(name: str) -> list[dict[str, str]]:
            return self.index.fact(str(known.get(name, "")))

        def lists(name: str, key: str, value: str) -> dict[str, tuple[str, ...]]:
            found: dict[str, list[str]] = {}
            for each in rows(name):
                found.setdefault(each[key], []).append(each[value])
            return {iri: tuple(values) for iri, values in found.items()}

        return Facts(
            findings=tuple(
                Finding(
                    each["finding"],
                    each[row],
                    each[column],
                    each["study"],
                    stance.side,
                    each["design"],
                    whole(each.get("year", "")) or 0,
                    each["synthesis"] == "true",
                    whole(each.get("enrolled", "")) or 0,
                )
                for each in rows("findings")
                if (stance := self.stances.get(each["direction"]))
            ),
            named={(each[row], each[column]): int(each["statements"]) for each in rows("named")},
            broader=lists("broader", "narrow", "broad"),
            groups=lists("groups", "item", "group"),
            targets=lists("targets", "item", "target"),
            ranks=self.ranks,
            umbrellas=frozenset(self.iris(known.get("umbrellas", []))),
        )

    @cached_property
    def _class_parents(self) -> Mapping[str, tuple[str, ...]]:
        """Class → its direct superclasses; asked for where the build has not kept them."""
        rows = self.index.fact("class-parents")
        if not rows:
            found = self.site.engine.select(_CLASS_PARENTS)
            rows = [{name: str(getattr(row[name], "value", "")) for name in row} for row in found]
        parents: dict[str, list[str]] = {}
        for row in rows:
            parents.setdefault(row["child"], []).append(row["parent"])
        return {child: tuple(names) for child, names in parents.items()}

    def parents(self, iri: str) -> tuple[str, ...]:
        """The direct superclasses of a class."""
        return self._class_parents.get(iri, ())

    def superclasses(self, iri: str) -> frozenset[str]:
        """Every class above a class."""
        reached: set[str] = set()
        ahead = [iri]
        while ahead:
            for parent in self.parents(ahead.pop()):
                if parent not in reached:
                    reached.add(parent)
                    ahead.append(parent)
        return frozenset(reached)

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """What is directly narrower."""
        found: dict[str, list[str]] = {}
        for narrow, broad in self.facts.broader.items():
            for each in broad:
                found.setdefault(each, []).append(narrow)
        return {iri: tuple(narrow) for iri, narrow in found.items()}

    @cached_property
    def _below(self) -> dict[str, frozenset[str]]:
        return {}

    def below(self, iri: str) -> frozenset[str]:
        """`iri` and everything narrower; kept for what has something narrower."""
        if iri not in self.children:
            return frozenset({iri})
        known = self._below.get(iri)
        if known is None:
            reached, ahead = {iri}, [iri]
            while ahead:
                for child in self.children.get(ahead.pop(), ()):
                    if child not in reached:
                        reached.add(child)
                        ahead.append(child)
            known = self._below[iri] = frozenset(reached)
        return known

    @cached_property
    def related(self) -> Mapping[str, frozenset[str]]:
        """What the graph calls related, seen from both ends."""
        found: dict[str, set[str]] = {}
        for row in self.index.fact(str(self.table("matrix").get("related", ""))):
            found.setdefault(row["item"], set()).add(row["other"])
            found.setdefault(row["other"], set()).add(row["item"])
        return {iri: frozenset(others) for iri, others in found.items()}

    def near(self, iri: str) -> frozenset[str]:
        """`iri`, everything narrower, everything broader, and what is related with its narrower."""
        related = (self.below(other) for other in self.related.get(iri, ()))
        return self.below(iri) | self.facts.above(iri) | frozenset().union(*related)

    def relation(self, own: str, other: str) -> str:
        """How `other` stands to `own`: narrower, broader, related, or not at all."""
        if other == own:
            return ""
        if own in self.facts.above(other):
            return "narrower"
        if other in self.facts.above(own):
            return "broader"
        return "related" if self.facts.above(other) & self.related.get(own, frozenset()) else ""

    @cached_property
    def abbreviations(self) -> Mapping[str, str]:
        """Column → a short name: its label's initials where these are in use, else the shortest."""
        known: dict[str, list[str]] = {}
        for row in self.index.fact(str(self.table("matrix").get("abbreviations", ""))):
            known.setdefault(row["item"], []).append(row["abbreviation"])
        labels = self.index.known(known)

        def order(item: str, short: str) -> tuple[bool, int, str]:
            initials = "".join(word[0] for word in labels[item].label.split()).lower()
            return (short.lower() != initials, len(short), short)

        return {
            item: min(shorts, key=lambda short: order(item, short))
            for item, shorts in known.items()
        }


def asked_pages(request: Request) -> dict[str, int]:
    """Which page of which panel is asked for: `?therapy-harms=2`."""
    found = ((name, whole(value)) for name, value in request.arguments)
    return {name: at for name, at in found if at is not None and at <= 99_999}


def asked_page(request: Request) -> int:
    """The number of `?page=`; the first page where there is none or it is no number."""
    return max(1, request.number("page", 1, 99_999))


def last_page(total: int, each: int) -> int:
    """The number of the last page, which is shown for every number beyond it.

    >>> last_page(0, 20), last_page(20, 20), last_page(21, 20)
    (1, 1, 2)
    """
    return max(1, -(-total // each))


def desk_of(site: Site) -> Desk:
    """The desk of a site; opened when it is first needed."""
    found = site.shelf.get("desk")
    if not isinstance(found, Desk):
        found = Desk(site, Index(site.release_dir / FILE), queries.read(site.release_dir / "pages"))
        site.shelf["desk"] = found
    return found


def shell(desk: Desk, request: Request, title: str, **more: Any) -> Shell:
    """The frame of a page."""
    dataset = desk.table("dataset")
    more["description"] = more.get("description") or f"{title}: {dataset.get('title', '')}"
    return Shell(
        title=title,
        site_title=desk.site.title,
        release=desk.site.release,
        disclaimer=str(dataset.get("disclaimer", "")),
        caution=str(desk.table("site").get("caution", "")),
        shapes="downloads/shapes.nt" in desk.site.manifest.files,
        prefix=request.prefix,
        menu=desk.settings.get("menu", MENU),
        path=request.path,
        feedback=str(desk.table("site").get("feedback", "")),
        language=str(dataset.get("language", "en")),
        stances=tuple(desk.stances.values()),
        notes={"forest": str(desk.table("forest").get("note", ""))},
        **more,
    )


def page(
    desk: Desk, request: Request, template: str, frame: Shell, status: int = 200, **values: Any
) -> Reply:
    """A page as a reply, with its validator."""
    body = render(template, frame, **values)
    tag = desk.site.etag(
        "page", MARK, template, request.base_url, request.path, request.query_string
    )
    links = tuple(
        f'<{each["href"]}>; rel="{each["rel"]}"'
        + (f'; type="{each["type"]}"' if each.get("type") else "")
        for each in frame.alternates
        if each["href"].isascii()
    )
    more = (("link", ", ".join(links)),) if links else ()
    cached = (("etag", tag), ("cache-control", CACHE)) if status == 200 else ()
    return Reply(
        status,
        (
            ("content-type", HTML),
            *cached,
            ("vary", "Accept"),
            ("x-release", desk.site.release),
            *more,
        ),
        body,
    )


def dataset_data(desk: Desk) -> dict[str, object]:
    """The dataset as schema.org says it, for those who collect data sets."""
    dataset = desk.table("dataset")
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": dataset.get("iri", ""),
        "name": dataset.get("title", ""),
        "description": dataset.get("description", ""),
        "license": dataset.get("licence", ""),
        "keywords": dataset.get("keywords", []),
        "version": desk.site.release,
        "isAccessibleForFree": True,
        "url": dataset.get("iri", ""),
        "creator": [
            {"@type": "Organization", "name": row["name"]} for row in dataset.get("creators", [])
        ],
    }
