"""Values as a model reads them: names beside IRIs, sources with their identifiers."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pyoxigraph import BlankNode, Literal, NamedNode

from publisher.engine.question import Row, Term
from publisher.errors import NotFound
from publisher.mcp.tools import Json
from publisher.pages.render import words
from publisher.protocol.resources import DEPRECATED
from publisher.resource import Linker
from publisher.screens.desk import Desk
from publisher.screens.work import UNNAMED, shortened
from publisher.search import Hit

LONGEST = 600  # characters of one text


@dataclass(frozen=True)
class Teller:
    """The desk of a release, and how terms are called."""

    desk: Desk
    linker: Linker

    def value(self, term: Term) -> Json:
        """A term as data: what it is called, and its IRI."""
        if isinstance(term, NamedNode):
            found = self.linker.link(term.value)
            return {"text": found.text, "iri": term.value}
        if isinstance(term, Literal):
            more = {"language": term.language} if term.language else {}
            return {"text": term.value[: 10 * LONGEST], **more}
        return {"text": "a node without a name" if isinstance(term, BlankNode) else str(term)}

    def rows(self, rows: Sequence[Row]) -> list[dict[str, Json]]:
        """Rows as data; values that say nothing by the settings are left out.

        The statement that a row tells is led to by its IRI: its text stands in the row already.
        """
        named = {t for row in rows for n, t in row.items() if n not in self.statements}
        links = self.linker.links(named)

        def value(name: str, term: Term) -> Json:
            if not isinstance(term, NamedNode):
                return self.value(term)
            return {"iri": term.value} | (
                {} if name in self.statements else {"text": shortened(self.desk, links[term]).text}
            )

        return [
            {
                name: value(name, term)
                for name, term in row.items()
                if not (isinstance(term, NamedNode) and term.value in self.desk.silent)
            }
            for row in rows
        ]

    @property
    def statements(self) -> tuple[str, ...]:
        """The variables of queries that hold statements, the ones that people open first."""
        return (*self.desk.table("open"), *UNNAMED)

    def word(self, variable: str) -> str:
        """What a variable of a query is called."""
        return str(self.desk.table("columns").get(variable, words(variable)))

    def retired(self, iri: str) -> bool:
        """Whether a thing was withdrawn."""
        return any(
            t.predicate.value == DEPRECATED and getattr(t.object, "value", "") == "true"
            for t in self.desk.site.engine.lookup(iri)
        )

    def identifiers(self, iri: str) -> list[Json]:
        """Identifiers that a thing has elsewhere (DOI ...), with their public address."""
        said: dict[str, list[str]] = {}
        for triple in self.desk.site.engine.lookup(iri):
            if isinstance(triple.object, Literal):
                said.setdefault(triple.predicate.value, []).append(triple.object.value)
        found = []
        for row in self.desk.settings.get("identifiers", []):
            for value in sorted(said.get(self.desk.iri(row["property"]), [])):
                start = str(row.get("iri", ""))
                url = {"url": start + quote(value, safe="/:;()-._~")} if start else {}
                found.append({"name": row["name"], "value": value, **url})
        return found

    def source(self, iri: str) -> Json:
        """A source as it is cited, with what must be known of it first."""
        link = self.linker.link(iri)
        flags = self.flags(iri)
        more = {"flags": flags} if flags else {}
        return {"iri": iri, "label": link.text, "identifiers": self.identifiers(iri), **more}

    def flags(self, iri: str) -> list[str]:
        """What happened to a source: what it says of itself, and what others do to it."""
        engine, known = self.desk.site.engine, self.desk.flags
        own = [known.get(getattr(t.object, "value", "")) for t in engine.lookup(iri)]
        words = [flag.word for flag in own if flag]
        words += [
            flag.word
            for name, flag in known.items()
            if engine.select(f"SELECT ?s {{ ?s {NamedNode(name)} {NamedNode(iri)} }} LIMIT 1")
        ]
        return list(dict.fromkeys(words))

    # finding what is meant

    def find(self, name: str, kind: str = "") -> str:
        """The IRI of the thing that is meant: an IRI, a CURIE, an identifier or a name.

        Raises NotFound, with what it might be, when nothing or more than one thing is called so.
        """
        text = name.strip()
        for iri in (text, self.desk.iri(text), self.desk.site.names.base + text):
            if self.desk.index.known([iri]):
                return iri
        hits = self.desk.index.find(text, kinds=(kind,) if kind else (), limit=8).hits
        exact = [hit for hit in hits if hit.score >= 90 and not hit.retired]
        if len(exact) == 1:
            return exact[0].iri
        near = "; ".join(f"{hit.label} <{hit.iri}>" for hit in exact or hits)
        what = "more than one thing is called so" if exact else "nothing is called just so"
        raise NotFound(what, where=text[:200], fix=f"did you mean: {near}" if near else "search")


def hit(teller: Teller, found: Hit) -> Json:
    """One thing that was found."""
    kind = teller.linker.link(found.kind).text if found.kind else ""
    more: dict[str, Any] = {"retired": True} if found.retired else {}
    if found.sort not in ("", "label"):
        more["found_by"] = f"{found.sort}: {found.matched}"
    return {"iri": found.iri, "label": found.label, "kind": kind, **more}


def short(text: str) -> str:
    """A text in one line, cut where it is long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + "…"


def plain(value: Mapping[str, Any]) -> str:
    """A value in a line: what it is called, and its IRI."""
    return short(str(value["text"])) + (f" <{value['iri']}>" if value.get("iri") else "")


def cited(source: Json) -> str:
    """A source in a line: label, identifiers, IRI."""
    named = [f"{i['name']} {i['value']}" for i in source["identifiers"]]
    flags = [f"[{', '.join(source['flags'])}]"] if source.get("flags") else []
    return " ".join(
        [*flags, short(source["label"]), *(f"({n})" for n in named), f"<{source['iri']}>"]
    )


def line(
    teller: Teller, row: Mapping[str, Json], numbers: Mapping[str, int], known: Container[str]
) -> str:
    """A row in a line: its text, what it says by name, its source by number, its statement's IRI.

    `known` are things that need not be named again.
    """
    said = [short(str(row["text"]["text"]))] if "text" in row else []
    skipped = {"text", "stance", "status", "source", "locator", *teller.statements}
    said += [
        f"{teller.word(name)}: {short(str(value['text']))}"
        for name, value in row.items()
        if name not in skipped and value.get("iri") not in known
    ]
    source = str(row.get("source", {}).get("iri", ""))
    if source in numbers:
        said.append(f"source [{numbers[source]}]")
    if "locator" in row:
        said.append(short(str(row["locator"]["text"])))
    own = next((row[name]["iri"] for name in teller.statements if "iri" in row.get(name, {})), "")
    return "; ".join(said) + (f" <{own}>" if own else "")
