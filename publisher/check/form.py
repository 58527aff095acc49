"""Form: can every file be read, and is it written in the one canonical way?"""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from publisher import mappings
from publisher.check.finding import Finding
from publisher.corpus import Corpus, File
from publisher.errors import InputError, TurtleForm
from publisher.turtle.canonical import write


def readable(corpus: Corpus) -> Iterator[Finding]:
    """A file that is not Turtle, or not SSSOM."""
    for error in corpus.broken:
        column = f" (column {error.column})" if error.column else ""
        yield Finding(
            "violation", "readable", error.file, error.line, "", error.what + column, error.fix
        )


def expected_files(corpus: Corpus) -> Iterator[Finding]:
    """A file that nobody reads: most likely a misspelt suffix."""
    for path in corpus.stray:
        yield Finding(
            "violation",
            "expected-files",
            path,
            0,
            "",
            "is not read: its name is none that the graph has a use for",
            "name it *.ttl (or *.sssom.tsv in data/mappings/), or move it elsewhere",
        )


def canonical_form(corpus: Corpus) -> Iterator[Finding]:
    """A file that `format` would write otherwise."""
    for file in corpus.files:
        try:
            wanted = canonical_text(file, corpus)
        except InputError as error:
            yield _finding(error.file, error.line, error.what, error.fix)
            continue
        if wanted != file.text:
            fix = f"run `neuromodkg format {file.path}`"
            yield _finding(file.path, _first_difference(file.text, wanted), "is not canonical", fix)


def _finding(file: str, line: int, message: str, fix: str) -> Finding:
    return Finding("violation", "canonical-form", file, line, "", message, fix)


def canonical_text(file: File, corpus: Corpus) -> str:
    """What the file should look like; raises TurtleForm for what has no canonical form."""
    if file.table is not None:
        return mappings.write(file.table)
    assert file.parsed is not None
    if file.room == "data":
        refuse_unnamed(file)
    return write(file.parsed, prefixes=corpus.graph.prefixes, file=file.path, stem=file.stem)


def refuse_unnamed(file: File) -> None:
    """In data/ everything that is said has an IRI."""
    for fact in file.facts:
        for node in (fact.triple.subject, fact.triple.object):
            if isinstance(node, ox.BlankNode):
                raise TurtleForm(
                    "is a node without a name",
                    file=file.path,
                    line=fact.line,
                    fix="give it an IRI, so that others can link to it",
                )


def _first_difference(text: str, wanted: str) -> int:
    pairs = zip(text.split("\n"), wanted.split("\n"), strict=False)
    for number, (is_, should) in enumerate(pairs, 1):
        if is_ != should:
            return number
    return text.count("\n") + 1
