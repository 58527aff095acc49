"""`/reconcile`: the Reconciliation Service API 0.2, over the search index."""

import json
from collections.abc import Mapping
from typing import Any

from publisher.errors import BadRequest, MethodNotAllowed
from publisher.protocol.values import Reply, Request, Site, decode_form
from publisher.screens.desk import Desk, desk_of
from publisher.search import Hit

MOST_QUERIES = 50
LIMIT = 5
MOST = 25
CERTAIN = 90.0  # an exact name


def reconcile(site: Site, request: Request) -> Reply:
    """The manifest, or the candidates for a batch of queries (GET or POST form)."""
    if request.method not in ("GET", "HEAD", "POST"):
        raise MethodNotAllowed("send GET or POST", allowed=("GET", "POST"))
    desk = desk_of(site)
    fields = dict(request.arguments)
    if request.method == "POST":
        fields |= dict(decode_form(_text(request.body)))
    if "queries" not in fields:
        return _json(manifest(desk, request))
    batch = _read(fields["queries"])
    return _json({key: {"result": candidates(desk, each)} for key, each in batch.items()})


def manifest(desk: Desk, request: Request) -> dict[str, Any]:
    """What the service is."""
    base = desk.site.names.base
    linker = desk.linker(request)
    return {
        "versions": ["0.2"],
        "name": desk.site.title,
        "identifierSpace": base,
        "schemaSpace": str(desk.settings.get("vocabulary", base)) + "#",
        "view": {"url": request.url("/search?q={{id}}")},
        "defaultTypes": [
            {"id": desk.compact(kind), "name": linker.link(kind).text} for kind in desk.kinds[:8]
        ],
    }


def candidates(desk: Desk, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The best fits of one query; only one that is named just so is called a match."""
    text = str(query.get("query", ""))
    wanted = query.get("type") or []
    kinds = [desk.iri(str(k)) for k in (wanted if isinstance(wanted, list) else [wanted])]
    limit = query.get("limit", LIMIT)
    count = min(limit, MOST) if isinstance(limit, int) and limit > 0 else LIMIT
    hits = desk.index.find(text, kinds=kinds, limit=count).hits
    names = desk.index.known(hit.kind for hit in hits)
    exact = [hit for hit in hits if hit.score >= CERTAIN]
    return [
        {
            "id": desk.compact(hit.iri),
            "name": hit.label,
            "score": round(hit.score, 1),
            "match": len(exact) == 1 and hit is exact[0],
            "type": [{"id": desk.compact(hit.kind), "name": _name(names, hit)}],
            "description": f"{hit.sort}: {hit.matched}" if hit.sort else "",
        }
        for hit in hits
    ]


def _name(names: Mapping[str, Any], hit: Hit) -> str:
    found = names.get(hit.kind)
    return found.label if found else hit.kind


def _read(text: str) -> dict[str, dict[str, Any]]:
    try:
        batch = json.loads(text)
    except ValueError as error:
        raise BadRequest(f"queries is not JSON: {error}") from error
    if not isinstance(batch, dict) or not all(isinstance(q, dict) for q in batch.values()):
        raise BadRequest("queries is not an object of queries", fix='like {"q0": {"query": "…"}}')
    if len(batch) > MOST_QUERIES:
        raise BadRequest(f"more than {MOST_QUERIES} queries", fix="send them in several batches")
    return batch


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("the body is not UTF-8", where=f"byte {error.start}") from error


def _json(content: Any) -> Reply:
    body = (json.dumps(content, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    return Reply(
        200,
        (("content-type", "application/json"), ("cache-control", "public, max-age=60")),
        body,
    )
