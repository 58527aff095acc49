"""Every IRI of the graph, dereferenced: path → IRI → triples → the form that was asked for."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from publisher import turtle_text
from publisher.engine import answers
from publisher.engine.embedded import Embedded
from publisher.errors import MethodNotAllowed, NotFound
from publisher.formats import BY_SUFFIX, GRAPHS, HTML, Choice, Format, negotiate
from publisher.protocol.values import Headers, Reply, Request, Site

METHODS = ("GET", "HEAD")
OFFERED = (HTML, *GRAPHS)
TURTLE = BY_SUFFIX["ttl"]
DEPRECATED = "http://www.w3.org/2002/07/owl#deprecated"
CACHE = "public, max-age=60, must-revalidate"


@dataclass(frozen=True)
class Wanted:
    """The IRI that a path stands for, and the form that path and Accept settle on."""

    iri: str
    choice: Choice
    path: str


def wanted(site: Site, request: Request) -> Wanted:
    """What a request asks for; an unusable Accept gets a page, as public FAIR clients expect."""
    if request.method not in METHODS:
        raise MethodNotAllowed(f"{request.method} is not for resources", allowed=METHODS)
    stem, row = split_suffix(request.path)
    if row is not None:
        return Wanted(site.names.iri(stem, decoded=True), Choice(row, row.media_type), stem)
    choice = negotiate(request.accept, OFFERED) or Choice(HTML, HTML.media_type)
    return Wanted(site.names.iri(request.path, decoded=True), choice, request.path)


def split_suffix(path: str) -> tuple[str, Format | None]:
    """`/NMOD_1.ttl` → `/NMOD_1` and Turtle; a name's own dots stay.

    >>> split_suffix("/source/doi-10.1111-ner.12208")[1] is None
    True
    """
    stem, dot, suffix = path.rpartition(".")
    row = BY_SUFFIX.get(suffix)
    known = dot and row is not None and row in OFFERED and stem and not stem.endswith("/")
    return (stem, row) if known else (path, None)


def handle(site: Site, request: Request) -> Reply:
    """The resource at a path, in the wanted form."""
    asked = wanted(site, request)
    if asked.choice.format is HTML:
        return page(site, request, asked)
    return graph_reply(site, asked, described(site, asked.iri))


def described(site: Site, iri: str) -> list[Triple]:
    """What the release says of an IRI: its own triples, and those of the named graph it names."""
    triples = found(site, iri)
    if not triples:
        raise NotFound("nothing is known at this address", where=iri)
    return triples


def found(site: Site, iri: str) -> list[Triple]:
    """The same; empty when nothing is known."""
    own = site.engine.described(iri)
    return [*own, *site.engine.graph(iri)] if site.is_graph(iri) else own


def quick(site: Site, asked: Wanted) -> Reply | None:
    """Turtle of a plain resource, put together here; None for everything else."""
    engine = site.engine
    if asked.choice.format is not TURTLE or not isinstance(engine, Embedded):
        return None
    if site.is_graph(asked.iri):
        return None
    shown = turtle_text.turtle(engine.about(asked.iri), site.wording.prefixes)
    if shown is None or ":deprecated" in shown or DEPRECATED in shown or " _:" in shown:
        return None  # perhaps retired, which its status must say; or there is more to say
    return Reply(200, _headers(site, asked), shown.encode("utf-8"))


def graph_reply(site: Site, asked: Wanted, triples: list[Triple]) -> Reply:
    """Triples in a graph format; a retired resource says so by its status."""
    status = 410 if is_retired(triples, asked.iri) else 200
    body = write(site, triples, asked.choice.format.name)
    return Reply(status, _headers(site, asked), body)


def _headers(site: Site, asked: Wanted) -> Headers:
    return (
        ("content-type", asked.choice.content_type),
        ("vary", "Accept"),
        ("etag", site.etag("resource", asked.iri, asked.choice.media_type)),
        ("cache-control", CACHE),
        ("x-release", site.release),
        *links(asked),
    )


def links(asked: Wanted) -> tuple[tuple[str, str], ...]:
    """Where each other form has an address of its own."""
    if not asked.path.isascii():
        return ()
    return (("link", _others(asked.choice.format).replace("*", asked.iri.rsplit("/", 1)[-1])),)


@lru_cache(maxsize=32)
def _others(chosen: Format) -> str:
    """The Link header of a form, with `*` for the resource's own name."""
    return ", ".join(
        f'<*.{row.suffix}>; rel="alternate"; type="{row.media_type}"'
        for row in OFFERED
        if row is not chosen
    )


def _path_of(iri: str, row: Format) -> str:
    """Relative, so that it is right under any mount and on any host."""
    return f"{iri.rsplit('/', 1)[-1]}.{row.suffix}"


def is_retired(triples: Iterable[Triple], iri: str) -> bool:
    """Whether the resource itself is marked as deprecated."""
    return any(
        triple.predicate.value == DEPRECATED
        and isinstance(triple.object, Literal)
        and triple.object.value in ("true", "1")
        and isinstance(triple.subject, NamedNode)
        and triple.subject.value == iri
        for triple in triples
    )


def write(site: Site, triples: list[Triple], format_name: str) -> bytes:
    """A small graph in a format, with only the prefixes it uses."""
    prefixes = answers.used_prefixes(triples, site.wording.prefixes)
    sink = answers.Collected()
    answers.write_triples(
        triples, format_name, sink, answers.Wording(prefixes, site.wording.context)
    )
    return bytes(sink.held)


# pages


def page(site: Site, request: Request, asked: Wanted) -> Reply:
    """The page of a resource: the site's own where there is one, else a plain complete table."""
    try:
        pages = import_module("publisher.screens")
        render = pages.render_resource
    except (ImportError, AttributeError):
        return plain_page(site, request, asked)
    reply: Reply = render(site, request, asked.iri)
    return reply


def plain_page(site: Site, request: Request, asked: Wanted) -> Reply:
    """Label, then every triple; our own IRIs link to this host."""
    triples = described(site, asked.iri)
    label = _label(site, asked.iri)
    rows = "".join(
        f"<tr><th>{_cell(site, request, t.predicate)}</th>"
        f"<td>{_cell(site, request, t.object)}</td></tr>"
        for t in triples
    )
    forms = " ".join(
        f'<a href="{html.escape(_path_of(asked.iri, row))}">{row.suffix}</a>' for row in GRAPHS
    )
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(label)}</title></head><body><main><h1>{html.escape(label)}</h1>"
        f"<p>{html.escape(asked.iri)}</p><p>{forms}</p><table>{rows}</table></main></body></html>\n"
    )
    return Reply(
        410 if is_retired(triples, asked.iri) else 200,
        (
            ("content-type", "text/html; charset=utf-8"),
            ("vary", "Accept"),
            ("etag", site.etag("page", asked.iri, request.base_url)),
            ("cache-control", CACHE),
            *links(asked),
        ),
        text.encode("utf-8", "replace"),
    )


def _cell(site: Site, request: Request, term: NamedNode | BlankNode | Literal | Triple) -> str:
    if not isinstance(term, NamedNode):
        return html.escape(term.value if isinstance(term, Literal) else str(term))
    path = site.names.path(term.value)
    address = term.value if path is None else request.prefix + path
    shown = html.escape(_label(site, term.value))
    if not address.startswith(("http://", "https://", "/")):
        return shown
    return f'<a href="{html.escape(address)}">{shown}</a>'


def _label(site: Site, iri: str) -> str:
    labels = ("#prefLabel", "#label", "/title")
    for triple in site.engine.lookup(iri):
        if triple.predicate.value.endswith(labels) and isinstance(triple.object, Literal):
            return triple.object.value
    return site.names.prefixes.compact(iri) or iri
