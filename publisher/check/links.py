"""External identifiers against copies of the vocabularies: the identifier and its label.

An identifier that exists may still be the wrong one, so that the label is compared as well. The
copies are a folder of tables with the columns id, label and obsolete; they belong to others and
are no part of the graph, which is why this is not among the rules of `check`.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from publisher.check.finding import Finding, did_you_mean
from publisher.mappings import NO_TERM, MappingSet

_NEEDED = {"id", "label", "obsolete"}


@dataclass(frozen=True)
class Term:
    """What a vocabulary says of one of its identifiers."""

    label: str
    obsolete: bool


@dataclass(frozen=True)
class Link:
    """An external identifier with the label that we wrote; None where we write none."""

    identifier: str
    label: str | None
    file: str
    line: int


def read_terms(folder: Path) -> Mapping[str, Term]:
    """Every term of every table in the folder, plain or gzipped; other files are passed over."""
    terms: dict[str, Term] = {}
    for path in sorted((*folder.glob("*.tsv"), *folder.glob("*.tsv.gz"))):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", newline="") as text:
            rows = csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE)
            if set(rows.fieldnames or ()) >= _NEEDED:
                terms.update((row["id"], _term(row)) for row in rows)
    return terms


def _term(row: Mapping[str, str]) -> Term:
    label = row["label"]
    retired = label.startswith("obsolete") or "[RETIRED]" in label
    return Term(label, row["obsolete"] == "true" or retired)


def of_table(table: MappingSet) -> Iterator[Link]:
    """The object of every row that has one, refused matches included."""
    for row in table.rows:
        identifier = row.values["object_id"]
        if identifier != NO_TERM:
            yield Link(identifier, row.values.get("object_label", ""), table.file, row.line)


def judge(links: Iterable[Link], terms: Mapping[str, Term]) -> Iterator[Finding]:
    """What is wrong with the links into vocabularies of which there is a copy."""
    known = prefixes(terms)
    by_label = {term.label: name for name, term in terms.items() if not term.obsolete}
    for link in links:
        if _prefix(link.identifier) not in known:
            continue
        fault = _fault(link, terms, by_label)
        if fault is not None:
            message, fix = fault
            yield Finding("violation", "links", link.file, link.line, link.identifier, message, fix)


def prefixes(terms: Mapping[str, Term]) -> frozenset[str]:
    """The vocabularies of which there is a copy."""
    return frozenset(_prefix(name) for name in terms)


def _prefix(identifier: str) -> str:
    return identifier.partition(":")[0]


def _fault(
    link: Link, terms: Mapping[str, Term], by_label: Mapping[str, str]
) -> tuple[str, str] | None:
    """The message and the repair; None when there is nothing to complain of."""
    name, term = link.identifier, terms.get(link.identifier)
    meant = by_label.get(link.label or "", "")
    if term is None:
        return f"{name} does not exist", f"{meant} has this label" if meant else ""
    if term.obsolete:
        return f'{name} is obsolete ("{term.label}")', "take what replaces it"
    if link.label is not None and link.label != term.label:
        repair = f"{meant} has this label" if meant else did_you_mean(link.label, [term.label])
        return f'{name} is "{term.label}", not "{link.label}"', repair
    return None
