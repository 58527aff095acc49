"""What follows from the checked statements, by rules that stand as data (SPARQL CONSTRUCT).

The rules run in the order of their files' names; a later one sees what an earlier one made. They
run over an in-memory store, which is where Oxigraph's spelling of literals comes from: it is the
canonical one, and the checker has refused every other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from publisher.errors import QueryFault

Query = tuple[str, str]
LONGEST = 160
_CLASS = re.compile(r"(?:, |(?<= ))\[\S.*?\](?=, |$)")


@dataclass(frozen=True)
class Derived:
    """A statement and the rule that made it first."""

    triple: ox.Triple
    rule: str


def store_of(quads: Iterable[ox.Quad]) -> ox.Store:
    """A store in memory whose default graph is the union of the named ones, each triple once."""
    store = ox.Store()
    kept = list(quads)
    store.bulk_extend(kept)
    store.bulk_extend(ox.Quad(q.subject, q.predicate, q.object) for q in kept)
    return store


def apply(store: ox.Store, rules: Sequence[Query], *, graph: ox.NamedNode) -> list[Derived]:
    """Run the rules; what they make is added to the store too, in `graph` and in the union.

    Raises QueryFault when a rule cannot be read, or makes nodes without names.
    """
    made: dict[str, Derived] = {}
    for path, text in rules:
        found = [t for t in construct(store, path, text) if str(t) not in made]
        for triple in found:
            made.setdefault(str(triple), Derived(triple, path))
        store.extend(ox.Quad(t.subject, t.predicate, t.object, graph) for t in found)
        store.extend(ox.Quad(t.subject, t.predicate, t.object) for t in found)
    return [made[key] for key in sorted(made)]


def construct(store: ox.Store, path: str, text: str) -> list[ox.Triple]:
    """The triples of one CONSTRUCT query, in no order."""
    try:
        answer = store.query(text)
    except SyntaxError as error:
        raise fault(error, path) from error
    if not isinstance(answer, ox.QueryTriples):
        raise QueryFault("is no CONSTRUCT query", file=path)
    found = list(answer)
    if any(isinstance(node, ox.BlankNode) for t in found for node in (t.subject, t.object)):
        raise QueryFault(
            "makes nodes without names, which would change with every build",
            file=path,
            fix="make an IRI: BIND(IRI(CONCAT(...)) AS ?node)",
        )
    return found


def fault(error: SyntaxError, path: str) -> QueryFault:
    """A syntax error of the engine with its place in the file."""
    message, line, column = plain(error)
    return QueryFault(f"is not SPARQL: {message}", file=path, line=line, column=column)


def plain(error: SyntaxError) -> tuple[str, int, int]:
    """The engine's complaint in one short line (it lists every character that might have come),
    and its line and column, 0 when it does not say."""
    text = " ".join(str(error.msg).split())
    place = re.match(r"error at (\d+):(\d+): ", text)
    line, column = (
        (int(place[1]), int(place[2])) if place else (error.lineno or 0, error.offset or 0)
    )
    said = text[place.end() :] if place else text
    if "Prefix not found" in said:
        said = "a prefix is not declared"
    # which letters might have come, range by range, tells nobody anything
    said = _CLASS.sub("", said).replace("<unreported>", "").rstrip(" ,")
    if said in ("expected", "expected one of"):
        said = "this cannot be read"
    return (said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"), line, column


def readable(text: str, path: str, prefixes: Mapping[str, str]) -> None:
    """Raises QueryFault when the engine cannot read the query, with these prefixes known."""
    try:
        ox.Store().query(text, prefixes=dict(prefixes))
    except SyntaxError as error:
        raise fault(error, path) from error
