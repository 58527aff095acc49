"""Handlers of everything that people look at: `(site, request, **values) -> Reply`.

`desk` what all have at hand; `panels` queries → panels; `entity` the page of any IRI and of a pair;
`home`, `evidence`, `find` ... one screen each. `ROUTES` is the table.
"""

from collections.abc import Callable

from publisher.protocol.values import Reply, Request, Site
from publisher.screens import (
    ask,
    changes,
    documents,
    evidence,
    files,
    find,
    home,
    pair,
    reconcile,
    shapes,
    validate,
)
from publisher.screens.ask import render_editor
from publisher.screens.entity import render_resource
from publisher.screens.fault import error_page

Handler = Callable[..., Reply]


def _csv(site: Site, request: Request) -> Reply:
    return evidence.map_view(site, request, "csv")


def _json(site: Site, request: Request) -> Reply:
    return evidence.map_view(site, request, "json")


def _ttl(site: Site, request: Request) -> Reply:
    return evidence.map_view(site, request, "ttl")


ROUTES: tuple[tuple[str, Handler], ...] = (
    ("/", home.home),
    ("/matrix", evidence.map_view),
    ("/matrix.csv", _csv),
    ("/matrix.json", _json),
    ("/matrix.ttl", _ttl),
    ("/pair", pair.pair),
    ("/search", find.search),
    ("/autocomplete", find.autocomplete),
    ("/static/<name>", files.static),
    ("/query", ask.query_page),
    ("/query/terms", ask.terms),
    ("/query.<name>", ask.answer_file),
    ("/queries", ask.queries_page),
    ("/mappings", documents.mappings),
    ("/shapes", shapes.shapes),
    ("/validate", validate.validate),
    ("/changes", changes.changes),
    ("/changes.json", changes.as_json),
    ("/changes.atom", changes.feed),
    ("/changes/<name>", changes.one),
    ("/release/<name>", changes.release),
    ("/about", documents.about),
    ("/downloads/", documents.downloads),
    ("/robots.txt", documents.robots),
    ("/sitemap.xml", documents.sitemap),
    ("/llms.txt", documents.llms),
    ("/opensearch.xml", documents.opensearch),
    *reconcile.ROUTES,
)

__all__ = ["ROUTES", "error_page", "render_editor", "render_resource"]
