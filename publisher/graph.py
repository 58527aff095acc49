"""What the publisher must be told about the graph: `ontology/graph.toml` and `prefixes.tsv`.

The publisher's code knows no subject matter; another graph is published by pointing it at another
folder with these two files. Tables that nobody reads here (pages, search ...) pass through.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from publisher.errors import GraphSettings, UsageError
from publisher.names import Names, Prefixes, parse_prefixes

SETTINGS = "ontology/graph.toml"
PREFIXES = "ontology/prefixes.tsv"


@dataclass(frozen=True)
class GraphRule:
    """Files that match `files` go into the named graph `graph`; `{stem}` is the file's stem.

    In `files`, `*` stands for anything but a slash and `**/` for any folders, or none.
    """

    files: str
    graph: str

    @cached_property
    def regex(self) -> re.Pattern[str]:
        pieces = re.split(r"(\*\*/|\*)", self.files)
        wild = {"**/": "(?:.*/)?", "*": "[^/]*"}
        return re.compile("".join(wild.get(p) or re.escape(p) for p in pieces))


@dataclass(frozen=True)
class Kind:
    """A kind of numbered entity: where its files stand, what they are typed as (class first)."""

    name: str
    folder: str
    types: tuple[str, ...]
    scheme: str = ""


@dataclass(frozen=True)
class Identifier:
    """A kind of identifier: the property that carries it, what a value looks like.

    `iri` is what stands before a value in its public address. A `source` identifier is one under
    which a source can be found; a source whose name starts with `<name>-` is named after it.
    """

    name: str
    property: str
    pattern: str
    example: str
    iri: str = ""
    source: bool = False

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern)


@dataclass(frozen=True)
class Part:
    """What a group of a derived IRI's pattern must name: an entity of this class."""

    namespace: str
    of_class: str


@dataclass(frozen=True)
class Derived:
    """IRIs that no file describes, because a rule of the build makes them."""

    prefix: str
    pattern: str
    parts: tuple[Part, ...]

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.pattern)


@dataclass(frozen=True)
class Sources:
    """Where sources stand and what excuses one from having a resolvable identifier."""

    folder: str
    prefix: str
    of_class: str
    excuse_property: str = ""
    excuse_value: str = ""


@dataclass(frozen=True)
class Creator:
    name: str
    iri: str = ""


@dataclass(frozen=True)
class Dataset:
    """What the description says that cannot be counted."""

    iri: str
    title: str
    description: str
    licence: str
    disclaimer: str = ""
    language: str = "en"
    keywords: tuple[str, ...] = ()
    creators: tuple[Creator, ...] = ()
    scope: tuple[str, ...] = ()  # what was looked for, and what was not, a sentence or two each


@dataclass(frozen=True)
class Graph:
    """The whole of `graph.toml` that the build reads, every name expanded to an IRI."""

    name: str
    base: str
    vocabulary: str
    terms: tuple[str, ...]  # namespaces whose names ontology/ defines
    entities: tuple[str, ...]  # namespaces whose names the files describe
    dataset: Dataset
    rules: tuple[GraphRule, ...]
    derived_graph: str
    dataset_graph: str
    number_prefix: str
    digits: int
    kinds: tuple[Kind, ...]
    sources: Sources | None
    identifiers: tuple[Identifier, ...]
    derived: tuple[Derived, ...]
    prefixes: Prefixes
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def names(self) -> Names:
        return Names(self.base, self.prefixes)

    def graph_of(self, path: str) -> str:
        """The named graph that a file's statements stand in."""
        for rule in self.rules:
            if rule.regex.fullmatch(path):
                return rule.graph.replace("{stem}", stem(path))
        raise GraphSettings(
            "no row of [[graphs]] says which named graph it belongs to",
            file=path,
            fix=f"add a row to {SETTINGS}, or move the file",
        )

    def kind(self, name: str) -> Kind:
        for kind in self.kinds:
            if kind.name == name:
                return kind
        raise UsageError(
            f"{name} is no kind", fix=f"one of {', '.join(k.name for k in self.kinds)}"
        )


def stem(path: str) -> str:
    """A file's name without its suffixes; dots inside the name stay.

    >>> stem("data/sources/doi-10.1111-ner.12208.ttl"), stem("data/mappings/mesh.sssom.tsv")
    ('doi-10.1111-ner.12208', 'mesh')
    """
    name = path.rsplit("/", 1)[-1]
    for suffix in (".sssom.tsv", ".ttl", ".rq"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def read(root: Path) -> Graph:
    """Read both files under `root`; raises GraphSettings with the place of the mistake."""
    prefixes = parse_prefixes(_text(root / PREFIXES, PREFIXES), file=PREFIXES)
    try:
        raw = tomllib.loads(_text(root / SETTINGS, SETTINGS))
    except tomllib.TOMLDecodeError as error:
        raise GraphSettings(f"is not TOML: {error}", file=SETTINGS) from error
    try:
        return _graph(_Table(raw, prefixes), prefixes)
    except re.error as error:
        raise GraphSettings(f"{error.pattern!r} is no pattern: {error}", file=SETTINGS) from error


def read_release(folder: Path) -> Graph:
    """The same from a release, which carries both."""
    pairs = json.loads(_text(folder / "prefixes.json", "prefixes.json"))
    prefixes = Prefixes(tuple(pairs.items()))
    return _graph(
        _Table(tomllib.loads(_text(folder / "graph.toml", "graph.toml")), prefixes), prefixes
    )


def _text(path: Path, shown: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise GraphSettings(
            "is missing", file=shown, fix="run the command in the folder that holds ontology/"
        ) from error


@dataclass(frozen=True)
class _Table:
    """One table of the file, read with the complaints a curator can act on."""

    values: Mapping[str, Any]
    prefixes: Prefixes
    at: str = ""

    def text(self, key: str, default: str | None = None) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise GraphSettings(f"{self._place(key)} must be a text", file=SETTINGS)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise GraphSettings(f"{self._place(key)} must be a list of texts", file=SETTINGS)
        return tuple(value)

    def number(self, key: str, default: int) -> int:
        value = self.values.get(key, default)
        if not isinstance(value, int):
            raise GraphSettings(f"{self._place(key)} must be a whole number", file=SETTINGS)
        return value

    def iri(self, key: str, default: str | None = None) -> str:
        return self._expand(self.text(key, default), key)

    def iris(self, key: str) -> tuple[str, ...]:
        return tuple(self._expand(text, key) for text in self.texts(key))

    def namespace(self, key: str) -> str:
        return self._space(self.text(key), key)

    def namespaces(self, key: str) -> tuple[str, ...]:
        return tuple(self._space(text, key) for text in self.texts(key))

    def table(self, key: str) -> _Table:
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise GraphSettings(f"{self._place(key)} must be a table", file=SETTINGS)
        return _Table(value, self.prefixes, self._place(key))

    def tables(self, key: str) -> tuple[_Table, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise GraphSettings(f"{self._place(key)} must be a list of tables", file=SETTINGS)
        return tuple(
            _Table(v, self.prefixes, self._place(f"{key}[{i}]")) for i, v in enumerate(value)
        )

    def _expand(self, text: str, key: str) -> str:
        if not text or "://" in text:
            return text
        expanded = self.prefixes.expand(text)
        if expanded is None:
            raise GraphSettings(
                f"{self._place(key)} is {text!r}, whose prefix is not in {PREFIXES}", file=SETTINGS
            )
        return expanded

    def _space(self, text: str, key: str) -> str:
        """A namespace, given by its prefix or in full."""
        return text if "://" in text else self._expand(text + ":", key)

    def _place(self, key: str) -> str:
        return f"{self.at}.{key}" if self.at else key


def _graph(top: _Table, prefixes: Prefixes) -> Graph:
    own, numbering = top.table("graph"), top.table("numbering")
    return Graph(
        name=top.text("name"),
        base=top.text("base"),
        vocabulary=top.iri("vocabulary"),
        terms=top.namespaces("terms"),
        entities=top.namespaces("entities"),
        dataset=_dataset(top.table("dataset")),
        rules=tuple(GraphRule(t.text("files"), t.iri("graph")) for t in top.tables("graphs")),
        derived_graph=own.iri("derived"),
        dataset_graph=own.iri("dataset"),
        number_prefix=numbering.text("prefix", ""),
        digits=numbering.number("digits", 7),
        kinds=tuple(_kind(t) for t in top.tables("kinds")),
        sources=_sources(top.table("sources")),
        identifiers=tuple(_identifier(t) for t in top.tables("identifiers")),
        derived=tuple(_derived(t) for t in top.tables("derived")),
        prefixes=prefixes,
        raw=top.values,
    )


def _kind(table: _Table) -> Kind:
    return Kind(
        table.text("name"), table.text("folder"), table.iris("types"), table.iri("scheme", "")
    )


def _identifier(table: _Table) -> Identifier:
    found = Identifier(
        name=table.text("name"),
        property=table.iri("property"),
        pattern=table.text("pattern"),
        example=table.text("example"),
        iri=table.iri("iri", ""),
        source=bool(table.values.get("source", False)),
    )
    if not found.regex.fullmatch(found.example):
        raise GraphSettings(
            f"{found.name}: the example {found.example!r} does not match the pattern", file=SETTINGS
        )
    return found


def _derived(table: _Table) -> Derived:
    parts = tuple(Part(t.namespace("iri"), t.iri("class")) for t in table.tables("parts"))
    found = Derived(table.text("prefix"), table.text("pattern"), parts)
    _ = found.regex
    return found


def _sources(table: _Table) -> Sources | None:
    if not table.values:
        return None
    excused = table.table("excused")
    return Sources(
        folder=table.text("folder"),
        prefix=table.text("prefix"),
        of_class=table.iri("class"),
        excuse_property=excused.iri("property", ""),
        excuse_value=excused.iri("value", ""),
    )


def _dataset(table: _Table) -> Dataset:
    return Dataset(
        iri=table.iri("iri"),
        title=table.text("title"),
        description=table.text("description"),
        licence=table.text("licence"),
        disclaimer=table.text("disclaimer", ""),
        language=table.text("language", "en"),
        keywords=table.texts("keywords"),
        creators=tuple(
            Creator(t.text("name"), t.text("iri", "")) for t in table.tables("creators")
        ),
        scope=table.texts("scope"),
    )
