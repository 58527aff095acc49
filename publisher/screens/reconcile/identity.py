"""How things, types and properties are called, and how answers are sent."""

import json
from collections.abc import Iterable
from typing import Any

from publisher.errors import BadRequest, NotFound
from publisher.protocol.values import Reply, Request
from publisher.screens.desk import Desk
from publisher.search import Known


def id_of(desk: Desk, iri: str) -> str:
    """The identifier of a thing: its IRI without the identifier space; a foreign one's in full."""
    return iri.removeprefix(desk.site.names.base) or iri


def iri_of(desk: Desk, name: str) -> str:
    """The IRI of an identifier; IRIs and CURIEs are understood as well."""
    if "://" in name:
        return name
    return desk.site.names.prefixes.expand(name) or desk.site.names.base + name


def named(desk: Desk, iri: str, known: dict[str, Known] | None = None) -> dict[str, str]:
    """A type or property as `id` and `name`."""
    found = (known or desk.index.known([iri])).get(iri)
    return {"id": desk.compact(iri), "name": found.label if found else desk.compact(iri)}


def all_named(desk: Desk, iris: Iterable[str]) -> list[dict[str, str]]:
    """Several of them."""
    wanted = list(iris)
    known = desk.index.known(wanted)
    return [named(desk, iri, known) for iri in wanted]


def wanted(desk: Desk, request: Request) -> tuple[str, str]:
    """The identifier that a request names, and its IRI; NotFound when nothing is known of it."""
    name = request.argument("id").strip()
    if not name:
        raise BadRequest("no id is given", fix="ask with ?id=…")
    iri = iri_of(desk, name)
    if iri not in desk.index.known([iri]):
        raise NotFound("nothing is known by this identifier", where=name[:200])
    return name, iri


def read_json(text: str, what: str) -> dict[str, Any]:
    """An object of JSON."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{what} is not JSON: {error}"[:300]) from None
    if not isinstance(found, dict):
        raise BadRequest(f"{what} is not an object")
    return found


def answer(content: Any, *, kept: bool = True) -> Reply:
    """JSON; what was posted is not kept by anybody."""
    body = (json.dumps(content, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    cache = "public, max-age=60" if kept else "no-store"
    return Reply(200, (("content-type", "application/json"), ("cache-control", cache)), body)
