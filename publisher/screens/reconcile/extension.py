"""Values of properties ("Data Extension Service"), for columns beside names that were matched."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from publisher.errors import BadRequest, TooLarge
from publisher.protocol.values import Reply, Request, Site
from publisher.resource import RDF_TYPE
from publisher.screens.desk import Desk, desk_of
from publisher.screens.reconcile.identity import all_named, answer, id_of, iri_of, named

MOST_IDS = 500
MOST_PROPERTIES = 50
MOST_VALUES = 200
SAMPLE = 50  # things of a type that are looked at for its properties
_XSD = "http://www.w3.org/2001/XMLSchema#"
_RANGE = "http://www.w3.org/2000/01/rdf-schema#range"
_WHOLE = {"integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger"}
_DATE = re.compile(r"-?\d{4,}-\d\d-\d\d")
_TIME = re.compile(r"T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?\Z")


def proposals(site: Site, request: Request) -> Reply:
    """`?type=&limit=`: the properties that things of a type have, the most usual first."""
    desk = desk_of(site)
    name = request.argument("type").strip()
    limit = request.number("limit", 0, 999_999)
    counts: Counter[str] = Counter()
    for iri in _sample(desk, desk.iri(name)):
        counts.update({t.predicate.value for t in desk.site.engine.lookup(iri)})
    ordered = [p for p, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    content: dict[str, Any] = {
        "type": name,
        "properties": all_named(desk, ordered[: limit or MOST_PROPERTIES]),
    }
    return answer({**content, "limit": limit} if limit else content)


def _sample(desk: Desk, kind: str) -> list[str]:
    if kind in desk.kinds:
        return [iri for iri, _ in desk.index.of_kind(kind, SAMPLE)]
    try:
        query = f"SELECT ?s {{ ?s {NamedNode(RDF_TYPE)} {NamedNode(kind)} }} LIMIT {SAMPLE}"
    except ValueError:
        return []
    return [r["s"].value for r in desk.site.engine.select(query) if isinstance(r["s"], NamedNode)]


def extended(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The response to a data extension query."""
    ids, properties = asked.get("ids"), asked.get("properties")
    if not isinstance(ids, list) or not all(isinstance(i, str) for i in ids):
        raise BadRequest("ids is not a list of identifiers")
    if not isinstance(properties, list) or not all(_is_property(p) for p in properties):
        raise BadRequest('properties is not a list of objects like {"id": "…"}')
    if len(ids) > MOST_IDS or len(properties) > MOST_PROPERTIES:
        raise TooLarge(
            f"at most {MOST_IDS} things and {MOST_PROPERTIES} properties at once",
            fix="ask in several parts",
        )
    return {
        "meta": [_column(desk, each["id"]) for each in properties],
        "rows": {name: _row(desk, name, properties) for name in ids},
    }


def _is_property(given: Any) -> bool:
    return isinstance(given, dict) and isinstance(given.get("id"), str)


def _column(desk: Desk, name: str) -> dict[str, Any]:
    """A property, and the type of its values where these are things."""
    iri = desk.iri(name)
    ranges = [t.object.value for t in desk.site.engine.lookup(iri) if _is_range(t)]  # type: ignore[union-attr]
    column: dict[str, Any] = {"id": name, "name": named(desk, iri)["name"]}
    known = [r for r in ranges if r in desk.kinds]
    return {**column, "type": named(desk, known[0])} if known else column


def _is_range(triple: Triple) -> bool:
    return triple.predicate.value == _RANGE and isinstance(triple.object, NamedNode)


def _row(desk: Desk, name: str, properties: list[dict[str, Any]]) -> dict[str, Any]:
    said: dict[str, list[Any]] = {}
    for triple in desk.site.engine.lookup(iri_of(desk, name)):
        said.setdefault(triple.predicate.value, []).append(triple.object)
    row = {}
    for each in properties:
        values = sorted(said.get(desk.iri(each["id"]), []), key=str)[: _limit(each)]
        row[each["id"]] = [_value(desk, value) for value in values]
    return row


def _limit(given: Mapping[str, Any]) -> int:
    """The setting `limit`; 0 means all, as far as we go."""
    settings = given.get("settings")
    wished = settings.get("limit") if isinstance(settings, dict) else 0
    if not isinstance(wished, int | float) or not wished >= 1:  # nor is NaN
        return MOST_VALUES
    return int(min(wished, MOST_VALUES))


def _value(desk: Desk, term: NamedNode | BlankNode | Literal | Triple) -> dict[str, Any]:
    """A value as the specification writes it: an entity of ours, a number, a date, else a text."""
    if isinstance(term, NamedNode):
        known = desk.index.known([term.value]).get(term.value)
        if term.value.startswith(desk.site.names.base) and known is not None:
            return {"id": id_of(desk, term.value), "name": known.label}
        return {"str": term.value}
    if not isinstance(term, Literal):
        return {"str": str(term)}
    kind = term.datatype.value.removeprefix(_XSD)
    try:
        if kind in _WHOLE:
            return {"int": int(term.value)}
        if kind in ("decimal", "double", "float") and math.isfinite(float(term.value)):
            return {"float": float(term.value)}
    except ValueError:
        return {"str": term.value}
    day = _DATE.match(term.value) if kind in ("date", "dateTime") else None
    if day is not None:
        time = _TIME.search(term.value)
        return {"date": day[0] + (time[0] if time else "T00:00:00")}
    return {"str": term.value}
