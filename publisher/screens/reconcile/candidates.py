"""Candidates ("Reconciliation Queries"): the things that a name, a type and properties may mean."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from pyoxigraph import Literal, NamedNode

from publisher.errors import BadRequest, TooLarge
from publisher.protocol.resources import DEPRECATED
from publisher.resource import RDF_TYPE
from publisher.screens.desk import Desk
from publisher.screens.reconcile.identity import id_of, iri_of, named
from publisher.search import Hit, Known
from publisher.search.words import fold

BATCH = 50
LIMIT = 5
MOST = 100
CERTAIN = 90.0  # the score of a name that is just so
POOL = 200  # hits among which types and properties are looked for
MOST_PROPERTIES = 20
MOST_TEXT = 1000
# how much the name counts against properties, when both are given
NAME_WEIGHT = 0.6
_XSD = "http://www.w3.org/2001/XMLSchema#"


@dataclass(frozen=True)
class Asked:
    """One query, read."""

    text: str
    types: tuple[str, ...]
    all_types: bool
    limit: int
    properties: tuple[tuple[str, tuple[Any, ...]], ...]


@dataclass(frozen=True)
class Candidate:
    """A thing, and how well it fits: its name from 0 to 100, and which properties do."""

    hit: Hit
    fits: Mapping[str, bool]

    @property
    def score(self) -> float:
        if not self.fits:
            return self.hit.score
        share = 100 * sum(self.fits.values()) / len(self.fits)
        return NAME_WEIGHT * self.hit.score + (1 - NAME_WEIGHT) * share

    @property
    def certain(self) -> bool:
        """Whether nothing speaks against it."""
        return self.hit.score >= CERTAIN and all(self.fits.values()) and not self.hit.retired


def results(desk: Desk, batch: Mapping[str, Any]) -> dict[str, Any]:
    """The result batch of a query batch."""
    if len(batch) > BATCH:
        raise TooLarge(f"a batch has at most {BATCH} queries", fix="send them in several batches")
    asked = {key: read(desk, query, key) for key, query in batch.items()}
    return {key: {"result": told(desk, find(desk, query))} for key, query in asked.items()}


def read(desk: Desk, query: Any, key: str) -> Asked:
    """A query; raises BadRequest for what the specification does not have."""
    if not isinstance(query, dict):
        raise BadRequest("is not an object", where=key[:50], fix='like {"query": "…"}')
    text, limit = query.get("query", ""), query.get("limit", LIMIT)
    strict = query.get("type_strict", "any")
    types = query.get("type") or []
    types = types if isinstance(types, list) else [types]
    # in version 0.1 a type was an object; OpenRefine still sends it so
    types = [t.get("id") if isinstance(t, dict) else t for t in types]
    properties = query.get("properties") or []
    wrong = {
        "query": not isinstance(text, str) or len(text) > MOST_TEXT,
        "limit": not isinstance(limit, int) or isinstance(limit, bool) or limit < 1,
        "type_strict": strict not in ("any", "all", "should"),
        "type": not all(isinstance(t, str) for t in types),
        "properties": not isinstance(properties, list) or len(properties) > MOST_PROPERTIES,
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            raise BadRequest(f"{field} is not usable", where=key[:50], fix="see the specification")
    return Asked(
        text.strip(),
        tuple(desk.iri(t) for t in types),
        strict == "all",
        min(limit, MOST),
        tuple(_property(desk, each, key) for each in properties),
    )


def _property(desk: Desk, given: Any, key: str) -> tuple[str, tuple[Any, ...]]:
    if not isinstance(given, dict) or not isinstance(given.get("pid"), str) or "v" not in given:
        raise BadRequest("a property has pid and v", where=key[:50])
    values = given["v"] if isinstance(given["v"], list) else [given["v"]]
    kept = [v.get("id") if isinstance(v, dict) else v for v in values]
    if not all(isinstance(v, str | int | float | bool) for v in kept):
        raise BadRequest("v is a text, a number, true, false, or an entity", where=key[:50])
    return desk.iri(given["pid"]), tuple(kept[:MOST_PROPERTIES])


def find(desk: Desk, asked: Asked) -> list[Candidate]:
    """The best fits, best first."""
    plain = not asked.properties and not _beyond_kinds(desk, asked)
    if asked.text:
        found = desk.index.find(
            asked.text, kinds=asked.types if plain else (), limit=asked.limit if plain else POOL
        )
        itself = by_identifier(desk, asked.text)
        others = [hit for hit in found.hits if itself is None or hit.iri != itself.iri]
        hits: Sequence[Hit] = [*([itself] if itself else []), *others]
    else:
        hits = by_properties(desk, asked)
    if plain:
        of_type = [hit for hit in hits if not asked.types or hit.kind in asked.types]
        return [Candidate(hit, {}) for hit in of_type[: asked.limit]]
    fitting = [hit for hit in hits if _is_of(desk, hit.iri, asked)]
    candidates = [Candidate(hit, _fits(desk, hit.iri, asked)) for hit in fitting]
    return sorted(candidates, key=lambda c: (c.hit.retired, -c.score))[: asked.limit]


def by_identifier(desk: Desk, text: str) -> Hit | None:
    """The thing whose own identifier the text is."""
    iri = iri_of(desk, text)
    known = None if " " in text else desk.index.known([iri]).get(iri)
    if known is None or known.kind not in desk.kinds:
        return None
    # a thing that was retired is found by its number, but never matched by itself
    retired = any(
        t.predicate.value == DEPRECATED and getattr(t.object, "value", "") == "true"
        for t in desk.site.engine.lookup(iri)
    )
    return Hit(iri, known.label, known.kind, text, "identifier", retired, score=100.0)


def _beyond_kinds(desk: Desk, asked: Asked) -> bool:
    """Whether the types are more than the index can tell: each thing is there under one."""
    return asked.all_types or any(t not in desk.kinds for t in asked.types)


def by_properties(desk: Desk, asked: Asked) -> list[Hit]:
    """The things that have one of the values, when no name is given."""
    found: list[str] = []
    for predicate, values in asked.properties:
        terms = " ".join(str(term) for value in values for term in _terms(desk, value))
        try:
            query = f"SELECT DISTINCT ?s {{ VALUES ?v {{ {terms} }} ?s {NamedNode(predicate)} ?v }}"
        except ValueError:
            continue
        rows = desk.site.engine.select(f"{query} LIMIT {POOL}")
        found += [r["s"].value for r in rows if isinstance(r["s"], NamedNode)]
    known = desk.index.known(found)
    return [
        Hit(iri, known[iri].label, known[iri].kind, "", "", score=CERTAIN)
        for iri in dict.fromkeys(found)
        if iri in known
    ]


def _terms(desk: Desk, value: Any) -> Iterable[NamedNode | Literal]:
    """Everything that a value may be in the data."""
    if isinstance(value, bool):
        yield Literal(value)
        return
    text = str(value)
    language = str(desk.table("dataset").get("language", "en"))
    yield from (Literal(text), Literal(text, language=language))
    for name in ("integer", "decimal", "double", "date", "gYear"):
        if isinstance(value, int | float) or text[:1].isdigit():
            yield Literal(text, datatype=NamedNode(_XSD + name))
    try:
        yield NamedNode(iri_of(desk, text))
    except ValueError:
        return


def _is_of(desk: Desk, iri: str, asked: Asked) -> bool:
    """Whether a thing has one of the types (or all), directly or by inheritance."""
    if not asked.types:
        return True
    own = {t.object.value for t in desk.site.engine.lookup(iri) if t.predicate.value == RDF_TYPE}  # type: ignore[union-attr]
    reached = own.union(*(desk.superclasses(name) for name in own))
    test = all if asked.all_types else any
    return test(name in reached for name in asked.types)


def _fits(desk: Desk, iri: str, asked: Asked) -> dict[str, bool]:
    """Property → whether one of the wanted values stands there."""
    said: dict[str, set[str]] = {}
    for triple in desk.site.engine.lookup(iri) if asked.properties else ():
        value = triple.object
        texts = said.setdefault(triple.predicate.value, set())
        if isinstance(value, NamedNode):
            known = desk.index.known([value.value]).get(value.value)
            texts |= {value.value, fold(known.label) if known else ""}
        elif isinstance(value, Literal):
            texts |= {value.value, fold(value.value)}
    found = {}
    for predicate, values in asked.properties:
        shown = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
        wanted = {form for v in shown for form in (v, fold(v), iri_of(desk, v)) if form}
        found[predicate] = bool(wanted & said.get(predicate, set()))
    return found


def told(desk: Desk, candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Candidates as the specification writes them; a match is the only one that is certain."""
    names = desk.index.known(c.hit.kind for c in candidates)
    certain = [c for c in candidates if c.certain]
    # what decides between equal names (kind, how much is said of a thing) never lifts a score
    scores = list(accumulate((round(c.score, 1) for c in candidates), min))
    return [
        {
            "id": id_of(desk, c.hit.iri),
            "name": c.hit.label,
            "score": score,
            "match": len(certain) == 1 and c is certain[0],
            "type": [named(desk, c.hit.kind, names)] if c.hit.kind else [],
            "description": describe(c.hit, names),
            "features": [
                {"id": "name", "value": round(c.hit.score, 1)},
                *({"id": desk.compact(p), "value": fits} for p, fits in c.fits.items()),
            ],
        }
        for c, score in zip(candidates, scores, strict=True)
    ]


def describe(hit: Hit, names: Mapping[str, Known]) -> str:
    """What tells namesakes apart: the kind, and the name by which it was found."""
    parts = [names[hit.kind].label] if hit.kind in names else []
    if hit.sort and hit.sort != "label" and hit.matched:
        parts.append(f"{hit.sort}: {hit.matched}")
    return ", ".join([*parts, *(["retired"] if hit.retired else [])])
