"""New names: the next free number, the name of a source, and a skeleton of its file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from publisher import turtle
from publisher.check.identifiers import source_names
from publisher.check.identity import kind_of
from publisher.corpus import Corpus
from publisher.errors import UsageError
from publisher.graph import Graph, Identifier
from publisher.names import next_number, slug
from publisher.turtle.canonical import quote


@dataclass(frozen=True)
class Minted:
    """A new entity: its IRI, its file under the root, the file's text."""

    iri: str
    path: str
    text: str


def concept(corpus: Corpus, kind_name: str, label: str) -> Minted:
    """The next free number over all kinds, with what is certain about the new entity."""
    about = corpus.graph
    kind = about.kind(kind_name)
    if not slug(label):
        raise UsageError(f"{label!r} has no letter for a file name")
    _refuse_known(corpus, label)
    number = f"{next_number(_numbers(corpus)):0{about.digits}d}"
    iri = about.prefixes.namespaces[about.number_prefix] + number
    path = f"{kind.folder}/{number}-{slug(label)}.ttl"
    facts = [f"a <{name}>" for name in kind.types]
    facts.append(f"skos:prefLabel {quote(label)}@{about.dataset.language}")
    if kind.scheme:
        facts.append(f"skos:inScheme <{kind.scheme}>")
    return Minted(iri, path, _write(about, iri, facts, path))


def _numbers(corpus: Corpus) -> list[int]:
    """Every number in use: in file names and in IRIs, so that a file renamed by hand counts too."""
    about = corpus.graph
    space = about.prefixes.namespaces[about.number_prefix]
    pattern = re.compile(rf"{re.escape(space)}(\d{{{about.digits}}})")
    named = [match[1] for iri in corpus.described if (match := pattern.fullmatch(iri))]
    files = [f.stem[: about.digits] for f in corpus.files if kind_of(f, about)]
    return [int(number) for number in (*named, *files) if number.isdigit()]


def _refuse_known(corpus: Corpus, label: str) -> None:
    names = {f"http://www.w3.org/2004/02/skos/core#{name}" for name in ("prefLabel", "altLabel")}
    for file, fact in corpus.located():
        t = fact.triple
        if not (t.predicate.value in names and isinstance(t.object, ox.Literal)):
            continue
        if t.object.value.casefold() == label.casefold():
            raise UsageError(
                f"{label!r} is the name of something already",
                where=f"{file.path}:{fact.line}",
                fix="use that entity, or mint under another name",
            )


def source(corpus: Corpus, values: list[str]) -> Minted:
    """A source named after the first kind of identifier that the graph's table lists."""
    about = corpus.graph
    if about.sources is None:
        raise UsageError("this graph has no sources", fix="add [sources] to ontology/graph.toml")
    given = [identify(about, value) for value in values]
    order = {identifier.name: n for n, identifier in enumerate(about.identifiers)}
    given.sort(key=lambda pair: order[pair[0].name])
    for identifier, value in given:
        _refuse_held(corpus, identifier, value)
    local = source_names(*given[0])[0]
    iri = about.prefixes.namespaces[about.sources.prefix] + local
    path = f"{about.sources.folder}/{local}.ttl"
    if iri in corpus.described or (corpus.root / path).exists():
        raise UsageError("exists already", where=path)
    facts = [f"a <{about.sources.of_class}>"]
    facts += [f"<{identifier.property}> {quote(value)}" for identifier, value in given]
    return Minted(iri, path, _write(about, iri, facts, path))


def identify(about: Graph, text: str) -> tuple[Identifier, str]:
    """Which kind of identifier this is; `kind:value` says it outright, addresses are shortened."""
    kinds = [identifier for identifier in about.identifiers if identifier.source]
    for identifier in kinds:
        named = re.match(rf"{re.escape(identifier.name)}:\s*", text, re.IGNORECASE)
        value = text[named.end() :] if named else text
        if identifier.iri and value.startswith(identifier.iri):
            named, value = re.match("", ""), value.removeprefix(identifier.iri).rstrip("/")
        if identifier.regex.fullmatch(value) and (named or not _takes_anything(identifier)):
            return identifier, value
    names = ", ".join(f"{kind.name} such as {kind.example}" for kind in kinds)
    raise UsageError(f"{text!r} is no identifier of a source", fix=f"known are: {names}")


def _takes_anything(identifier: Identifier) -> bool:
    """A pattern that fits any text cannot tell what it has before it."""
    return identifier.regex.fullmatch("any text, at all") is not None


def _refuse_held(corpus: Corpus, identifier: Identifier, value: str) -> None:
    for file, fact in corpus.located():
        t = fact.triple
        if not (t.predicate.value == identifier.property and isinstance(t.object, ox.Literal)):
            continue
        if t.object.value.casefold() == value.casefold():
            raise UsageError(
                f"the {identifier.name} {value} is in the graph already",
                where=f"{file.path}:{fact.line}",
                fix="add to that file",
            )


def _write(about: Graph, iri: str, facts: list[str], path: str) -> str:
    """The skeleton in canonical form."""
    skos = "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
    text = f"{skos}<{iri}> " + " ; ".join(facts) + " ."
    return turtle.format_text(text, prefixes=about.prefixes, file=path, stem=Path(path).stem)
