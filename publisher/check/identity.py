"""Identity: a number is used once, a thing has one file, and the file is called after it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pyoxigraph as ox

from publisher.check.finding import Finding
from publisher.corpus import Corpus, File
from publisher.graph import Graph, Kind


def file_names(corpus: Corpus) -> Iterator[Finding]:
    """A file whose name is not that of the entity it describes."""
    for file in corpus.files:
        expected = main_entity(file, corpus.graph)
        if expected is None or not file.facts or expected in subjects(file):
            continue
        names = [corpus.graph.prefixes.show(s) for s in subjects(file)]
        yield Finding(
            "violation",
            "file-names",
            file.path,
            next(iter(subjects(file).values())),
            names[0],
            f"does not describe {corpus.graph.prefixes.show(expected)}, as its name says",
            f"it describes {names[0]}: mend the name of the one or the other",
        )


def main_entity(file: File, graph: Graph) -> str | None:
    """The IRI that the file's name promises; None where names promise nothing."""
    namespaces = graph.prefixes.namespaces
    if kind_of(file, graph):
        number = re.match(rf"(\d{{{graph.digits}}})(-|$)", file.stem)
        return namespaces[graph.number_prefix] + number[1] if number else f"{graph.base}{file.stem}"
    if graph.sources and file.folder == graph.sources.folder:
        return namespaces[graph.sources.prefix] + file.stem
    return None


def kind_of(file: File, graph: Graph) -> Kind | None:
    return next((kind for kind in graph.kinds if kind.folder == file.folder), None)


def subjects(file: File) -> Mapping[str, int]:
    """The named subjects of a file with their first line."""
    found: dict[str, int] = {}
    for fact in file.facts:
        if isinstance(fact.triple.subject, ox.NamedNode):
            found.setdefault(fact.triple.subject.value, fact.line)
    return found


def one_number_once(corpus: Corpus) -> Iterator[Finding]:
    """Two files with one number: two curators minted at the same time."""
    first: dict[str, str] = {}
    for file in corpus.files:
        if not kind_of(file, corpus.graph):
            continue
        number = file.stem[: corpus.graph.digits]
        if number in first:
            yield Finding(
                "violation",
                "one-number-once",
                file.path,
                0,
                f"{corpus.graph.number_prefix}:{number}",
                f"has the number of {first[number]}",
                "take the next free one (`neuromodkg mint`) for the newer of the two",
            )
        first.setdefault(number, file.path)


def one_file_each(corpus: Corpus) -> Iterator[Finding]:
    """An entity that two files describe: a reader of one would miss the other."""
    home: dict[str, str] = {}
    for file in corpus.files:
        if file.table is not None:
            continue
        for subject, line in subjects(file).items():
            if subject in home:
                shown = corpus.graph.prefixes.show(subject)
                yield Finding(
                    "violation",
                    "one-file-each",
                    file.path,
                    line,
                    shown,
                    f"{shown} is described in {home[subject]} too",
                    "put everything that is said of it into one file",
                )
            home.setdefault(subject, file.path)


def kinds_in_their_folders(corpus: Corpus) -> Iterator[Finding]:
    """A condition among the therapies."""
    show = corpus.graph.prefixes.show
    for file in corpus.files:
        kind, entity = kind_of(file, corpus.graph), main_entity(file, corpus.graph)
        if kind is None or entity is None or entity not in subjects(file) or not kind.types:
            continue
        if not corpus.is_a(entity, kind.types[0]):
            yield Finding(
                "violation",
                "kinds-in-their-folders",
                file.path,
                subjects(file)[entity],
                show(entity),
                f"stands in {kind.folder} and is no {show(kind.types[0])}",
                "move the file, or mend the type",
            )


PREFERRED = "http://www.w3.org/2004/02/skos/core#prefLabel"


def one_name_each(corpus: Corpus) -> Iterator[Finding]:
    """Two concepts of one kind with the same preferred label: one thing under two numbers."""
    first: dict[tuple[str, str, str], tuple[str, str]] = {}
    for file in corpus.files:
        kind = kind_of(file, corpus.graph)
        if kind is None:
            continue
        for fact in file.facts:
            subject, label = fact.triple.subject, fact.triple.object
            if fact.triple.predicate.value != PREFERRED or not isinstance(label, ox.Literal):
                continue
            if not isinstance(subject, ox.NamedNode):
                continue
            name = (kind.name, label.value.casefold(), label.language or "")
            known, where = first.setdefault(name, (subject.value, file.path))
            if known != subject.value:
                yield Finding(
                    "violation",
                    "one-name-each",
                    file.path,
                    fact.line,
                    corpus.graph.prefixes.show(subject.value),
                    f"is called {label.value!r}, as the {kind.name} in {where} is",
                    "use that one, or find the name that tells the two apart",
                )
