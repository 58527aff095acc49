"""Writes a release's `search.sqlite`: a label for every IRI, names to find entities by, facts."""

from __future__ import annotations

import json
import sqlite3
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyoxigraph import Literal, NamedNode, QuerySolutions, Store

from publisher.engine.question import Term
from publisher.names import Names, Prefixes
from publisher.search.rows import write_row
from publisher.search.sets import pack
from publisher.search.words import fold, identifier_forms

FILE = "search.sqlite"
UNHEARD = "unheard"
LONGEST_LABEL = 300
LONGEST_NAMES = 4000
_SCHEMA = """
CREATE TABLE label (iri TEXT PRIMARY KEY, label TEXT NOT NULL, kind TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (id INTEGER PRIMARY KEY, iri TEXT NOT NULL, kind TEXT NOT NULL,
                    place INTEGER NOT NULL, weight INTEGER NOT NULL, retired INTEGER NOT NULL);
CREATE TABLE name (entry INTEGER NOT NULL, form TEXT NOT NULL, text TEXT NOT NULL,
                   sort TEXT NOT NULL, strength INTEGER NOT NULL);
CREATE VIRTUAL TABLE document USING fts5(names, ends, above, more, prefix = '2 3',
                                         tokenize = 'unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE spelling USING fts5(word, times UNINDEXED, tokenize = 'trigram');
CREATE TABLE row (id INTEGER PRIMARY KEY, of TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE place (of TEXT NOT NULL, variable TEXT NOT NULL, iri TEXT NOT NULL,
                    rows BLOB NOT NULL, PRIMARY KEY (of, variable, iri)) WITHOUT ROWID;
CREATE TABLE facet (of TEXT NOT NULL, variable TEXT NOT NULL, first INTEGER NOT NULL,
                    ordinals BLOB NOT NULL, iris TEXT NOT NULL, PRIMARY KEY (of, variable));
CREATE TABLE fact (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""
_INDEXES = """
CREATE INDEX name_form ON name (form);
CREATE INDEX entry_iri ON entry (iri);
CREATE INDEX label_kind ON label (kind, label);
"""
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_SUBCLASS = "http://www.w3.org/2000/01/rdf-schema#subClassOf"
_DEPRECATED = "http://www.w3.org/2002/07/owl#deprecated"

Labels = dict[str, tuple[str, str]]


def build(release: Path, store: Store) -> None:
    """Write the file into a release directory that is complete but for it."""
    graph = tomllib.loads((release / "graph.toml").read_text("utf-8"))
    prefixes = json.loads((release / "prefixes.json").read_text("utf-8"))
    source = Source(
        store, Names(graph["base"], Prefixes(tuple(prefixes.items()))), release / "pages", graph
    )
    target = release / FILE
    target.unlink(missing_ok=True)
    file = sqlite3.connect(target)
    try:
        file.executescript(_SCHEMA)
        kinds = _kinds(source)
        labels = _labels(source, kinds)
        file.executemany(
            "INSERT INTO label VALUES (?, ?, ?)", ((i, *labels[i]) for i in sorted(labels))
        )
        _write_entries(file, source, labels)
        facts = {**_facts(source), UNHEARD: _unheard(source)}
        for name, body in sorted(facts.items()):
            text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
            file.execute("INSERT INTO fact VALUES (?, ?)", (name, text))
        _write_rows(file, source)
        file.executescript(_INDEXES)
        file.commit()
        file.execute("VACUUM")
    finally:
        file.close()


@dataclass(frozen=True)
class Source:
    """What the index is made of: the store and the graph's settings."""

    store: Store
    names: Names
    pages: Path
    settings: Mapping[str, Any]

    def iri(self, curie: str) -> str:
        """The IRI of a CURIE of the settings."""
        return curie if "://" in curie else self.names.prefixes.expand(curie) or curie

    def rows(self, query: str) -> list[dict[str, str]]:
        """The rows of a query as texts; what is unbound is left out."""
        found = self.store.query(query, prefixes=dict(self.names.prefixes.pairs))
        assert isinstance(found, QuerySolutions)
        names = [variable.value for variable in found.variables]
        return [
            {n: term.value for n in names if isinstance(term := row[n], NamedNode | Literal)}
            for row in found
        ]

    def terms(self, name: str) -> list[dict[str, Term]]:
        """The rows of one of the release's page queries as terms."""
        query = (self.pages / f"{name}.rq").read_text("utf-8")
        found = self.store.query(query, prefixes=dict(self.names.prefixes.pairs))
        assert isinstance(found, QuerySolutions)
        names = [variable.value for variable in found.variables]
        return [{n: term for n in names if (term := row[n]) is not None} for row in found]

    def page_rows(self, name: str) -> list[dict[str, str]]:
        """The rows of one of the release's page queries."""
        return self.rows((self.pages / f"{name}.rq").read_text("utf-8"))

    def values(self, predicate: str) -> Iterator[tuple[str, NamedNode | Literal]]:
        """Every subject and value of a property in the union of all graphs, in a fixed order."""
        found = [
            (quad.subject.value, quad.object)
            for quad in self.store.quads_for_pattern(None, NamedNode(predicate), None)
            if isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode | Literal)
        ]
        yield from sorted(set(found), key=lambda pair: (pair[0], str(pair[1])))


# what kind of thing an IRI is


def _kinds(source: Source) -> dict[str, tuple[int, str]]:
    """IRI → (place in the order of kinds, the kind shown as a badge)."""
    wanted = [source.iri(c) for c in source.settings.get("search", {}).get("kinds", [])]
    parents: dict[str, set[str]] = defaultdict(set)
    for child, parent in source.values(_SUBCLASS):
        parents[child].add(parent.value)
    places = {name: place for place, name in enumerate(wanted)}
    best: dict[str, tuple[int, str]] = {}
    of_class: dict[str, tuple[int, str]] = {}
    for iri, one in source.values(_TYPE):
        if one.value not in of_class:
            of_class[one.value] = _nearest(one.value, parents, places)
        best[iri] = min(best.get(iri, (len(places) + 2, "")), of_class[one.value])
    return best


def _nearest(
    of_class: str, parents: Mapping[str, set[str]], places: Mapping[str, int]
) -> tuple[int, str]:
    """The first listed kind that a class is, or is below; the class itself when none is."""
    reached, ahead = {of_class}, [of_class]
    while ahead:
        for parent in parents.get(ahead.pop(), ()):
            if parent not in reached:
                reached.add(parent)
                ahead.append(parent)
    found = [(places[name], name) for name in reached if name in places]
    return min(found) if found else (len(places) + 1, of_class)


# what an IRI is called


def _labels(source: Source, kinds: Mapping[str, tuple[int, str]]) -> Labels:
    """IRI → (label, kind); the first property that gives one decides, English before others."""
    settings = source.settings.get("labels", {})
    language = source.settings.get("dataset", {}).get("language", "en")
    labels: dict[str, str] = {}
    for name in settings.get("queries", []):
        for row in source.page_rows(name):
            if "iri" in row and "label" in row:
                labels.setdefault(row["iri"], row["label"])
    for curie in settings.get("properties", []):
        found: dict[str, tuple[bool, str]] = {}
        for iri, value in source.values(source.iri(curie)):
            if isinstance(value, Literal):
                rank = (value.language not in (None, language), value.value)
                found[iri] = min(found.get(iri, rank), rank)
        for iri, (_, text) in found.items():
            labels.setdefault(iri, text)
    for curie, text in settings.get("words", {}).items():
        labels.setdefault(source.iri(curie), text)
    everything = set(labels) | set(kinds)
    return {
        iri: (
            _shorten(labels.get(iri) or source.names.prefixes.compact(iri) or iri),
            kinds.get(iri, (0, ""))[1],
        )
        for iri in everything
    }


def _shorten(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_LABEL else flat[: LONGEST_LABEL - 1].rstrip() + "…"


# by what an entity is found


def _write_entries(file: sqlite3.Connection, source: Source, labels: Labels) -> None:
    search = source.settings.get("search", {})
    places = {source.iri(c): place for place, c in enumerate(search.get("kinds", []))}
    found = _names(source, search, labels, places)
    retired = {iri for iri, v in source.values(source.iri(_DEPRECATED)) if v.value == "true"}
    weights = Counter(
        quad.object.value
        for quad in source.store.quads_for_pattern(None, None, None)
        if isinstance(quad.object, NamedNode) and quad.object.value in found
    )
    more = {
        iri: value.value
        for curie in search.get("texts", [])
        for iri, value in source.values(source.iri(curie))
    }
    spoken = {
        iri: " ; ".join(
            dict.fromkeys((labels[iri][0], *(n[2] for n in sorted(names) if n[1] != "identifier")))
        )
        for iri, names in found.items()
    }
    ends, above = _through(source, search, labels)
    words: Counter[str] = Counter()
    for number, iri in enumerate(sorted(found), 1):
        kind = labels[iri][1]
        row = (number, iri, kind, places[kind], weights[iri], int(iri in retired))
        file.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", row)
        names = sorted(found[iri])
        file.executemany(
            "INSERT INTO name VALUES (?, ?, ?, ?, ?)",
            ((number, form, text[:LONGEST_LABEL], sort, rank) for rank, sort, text, form in names),
        )
        parts = (
            fold(" ; ".join(spoken[one] for one in some if one in spoken), LONGEST_NAMES)
            for some in ([iri], ends.get(iri, ()), above.get(iri, ()))
        )
        own, *others = parts
        file.execute(
            "INSERT INTO document (rowid, names, ends, above, more) VALUES (?, ?, ?, ?, ?)",
            (number, own, *others, more.get(iri, "")[:2000]),
        )
        words.update(word for word in own.split() if len(word) > 3)
    file.executemany("INSERT INTO spelling (word, times) VALUES (?, ?)", sorted(words.items()))


def _through(
    source: Source, search: Mapping[str, Any], labels: Labels
) -> tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]]:
    """By whose names else a thing is found: those of its ends, and of what is broader than they."""
    ends: dict[str, list[str]] = defaultdict(list)
    for curie, properties in search.get("through", {}).items():
        kind = source.iri(curie)
        for each in properties:
            for iri, value in source.values(source.iri(each)):
                if labels[iri][1] == kind:
                    ends[iri].append(value.value)
    broader: dict[str, list[str]] = defaultdict(list)
    for iri, value in source.values(source.iri(search.get("broader", "skos:broader"))):
        broader[iri].append(value.value)
    above = {}
    for iri, own in ends.items():
        reached = dict.fromkeys(own)
        for one in iter(ahead := list(own)):
            fresh = [parent for parent in broader[one] if parent not in reached]
            reached.update(dict.fromkeys(fresh))
            ahead += fresh
        above[iri] = [one for one in reached if one not in own]
    return ends, above


def _names(
    source: Source, search: Mapping[str, Any], labels: Labels, places: Mapping[str, int]
) -> dict[str, set[tuple[int, str, str, str]]]:
    """IRI → names as (strength, sort, text, folded form); only of the kinds that are searched."""
    found: dict[str, set[tuple[int, str, str, str]]] = {
        iri: {(0, "label", label, fold(label))}
        for iri, (label, kind) in labels.items()
        if kind in places
    }
    for strength, row in enumerate(search.get("names", []), 1):
        for iri, value in source.values(source.iri(row["property"])):
            if iri in found and isinstance(value, Literal) and value.value.strip():
                found[iri].add((strength, row["sort"], value.value, fold(value.value)))
    for iri, names in found.items():
        for text in _own_identifiers(source, iri):
            names.add((1, "identifier", text, text.lower()))
    for curie in search.get("identifiers", []):
        for iri, value in source.values(source.iri(curie)):
            if iri in found:
                shown = _shown(source, value)
                for form in identifier_forms(shown):
                    found[iri].add((1, "identifier", shown, form))
    return found


def _own_identifiers(source: Source, iri: str) -> Iterable[str]:
    compact = source.names.prefixes.compact(iri)
    return (iri, compact) if compact else (iri,)


def _shown(source: Source, value: NamedNode | Literal) -> str:
    if isinstance(value, Literal):
        return value.value
    return source.names.prefixes.compact(value.value) or value.value


# rows of panels, kept with what they can be picked by


def _write_rows(file: sqlite3.Connection, source: Source) -> None:
    """The rows of every set of [rows], in their query's order."""
    first = 1
    for name, variables in sorted(source.settings.get("rows", {}).items()):
        rows = source.terms(name)
        file.executemany(
            "INSERT INTO row VALUES (?, ?, ?)",
            ((number, name, write_row(row)) for number, row in enumerate(rows, first)),
        )
        for variable in variables:
            _write_facet(file, name, variable, first, [row.get(variable) for row in rows])
        first += len(rows)


def _write_facet(
    file: sqlite3.Connection, name: str, variable: str, first: int, terms: Sequence[Term | None]
) -> None:
    """A variable of a set: which rows each IRI has, and which IRI each row has."""
    places: dict[str, list[int]] = {}
    for number, term in enumerate(terms, first):
        if isinstance(term, NamedNode):
            places.setdefault(term.value, []).append(number)
    file.executemany(
        "INSERT INTO place VALUES (?, ?, ?, ?)",
        ((name, variable, iri, pack(numbers)) for iri, numbers in sorted(places.items())),
    )
    ordinals = {iri: ordinal for ordinal, iri in enumerate(places, 1)}
    of_row = [ordinals[term.value] if isinstance(term, NamedNode) else 0 for term in terms]
    iris = json.dumps(list(places), ensure_ascii=False)
    file.execute(
        "INSERT INTO facet VALUES (?, ?, ?, ?, ?)", (name, variable, first, pack(of_row), iris)
    )


# what screens would otherwise count again and again


def _facts(source: Source) -> dict[str, list[dict[str, str]]]:
    """The rows of every query that the settings want ready: name → rows."""
    return {
        name: source.page_rows(name) for name in source.settings.get("search", {}).get("facts", [])
    }


def _unheard(source: Source) -> list[dict[str, str]]:
    """Words that tell nothing of what is looked for."""
    return [{"word": fold(word)} for word in source.settings.get("search", {}).get("unheard", [])]
