"""What the endpoint says of itself: SPARQL 1.1 Service Description, at the asked address."""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from publisher.formats import GRAPHS, HTML, RESULTS, Choice, Format, negotiate
from publisher.protocol.resources import CACHE, write
from publisher.protocol.values import Reply, Request, Site

SD = "http://www.w3.org/ns/sparql-service-description#"
FORMATS = "http://www.w3.org/ns/formats/"
RDF_TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
RDFS_COMMENT = NamedNode("http://www.w3.org/2000/01/rdf-schema#comment")
VOID_TRIPLES = NamedNode("http://rdfs.org/ns/void#triples")
XSD_INTEGER = NamedNode("http://www.w3.org/2001/XMLSchema#integer")

_FORMAT_NAMES = {
    "json": "SPARQL_Results_JSON",
    "xml": "SPARQL_Results_XML",
    "csv": "SPARQL_Results_CSV",
    "tsv": "SPARQL_Results_TSV",
    "turtle": "Turtle",
    "ntriples": "N-Triples",
    "nquads": "N-Quads",
    "trig": "TriG",
    "rdfxml": "RDF_XML",
    "jsonld": "JSON-LD",
}


def choose(request: Request) -> Choice:
    """A graph format, or a page for who reads pages."""
    offered: tuple[Format, ...] = (*GRAPHS, HTML)
    return negotiate(request.accept, offered) or Choice(GRAPHS[0], GRAPHS[0].media_type)


def reply(site: Site, request: Request, choice: Choice) -> Reply:
    """The description in a graph format."""
    endpoint = request.url("/sparql")
    return Reply(
        200,
        (
            ("content-type", choice.content_type),
            ("vary", "Accept"),
            ("etag", site.etag("service", endpoint, choice.media_type)),
            ("cache-control", CACHE),
        ),
        write(site, list(triples(site, endpoint)), choice.format.name),
    )


def triples(site: Site, endpoint: str) -> Iterator[Triple]:
    """The description's triples; blank nodes have fixed names, so that the bytes are stable."""
    service, dataset, default = NamedNode(endpoint), BlankNode("dataset"), BlankNode("default")
    yield Triple(service, RDF_TYPE, _sd("Service"))
    yield Triple(service, _sd("endpoint"), service)
    yield Triple(service, _sd("supportedLanguage"), _sd("SPARQL11Query"))
    yield Triple(service, _sd("feature"), _sd("UnionDefaultGraph"))
    for row in (*RESULTS, *GRAPHS):
        yield Triple(service, _sd("resultFormat"), NamedNode(FORMATS + _FORMAT_NAMES[row.name]))
    yield Triple(service, RDFS_COMMENT, Literal(limits_in_words(site), language="en"))
    yield Triple(service, _sd("defaultDataset"), dataset)
    yield Triple(dataset, RDF_TYPE, _sd("Dataset"))
    yield Triple(dataset, _sd("defaultGraph"), default)
    yield Triple(default, RDF_TYPE, _sd("Graph"))
    yield Triple(default, VOID_TRIPLES, _number(site.manifest.triples))
    for place, name in enumerate(site.engine.graphs()):
        yield from _named_graph(site, dataset, name, place)


def _named_graph(site: Site, dataset: BlankNode, name: str, place: int) -> Iterator[Triple]:
    entry, graph = BlankNode(f"named{place}"), BlankNode(f"graph{place}")
    yield Triple(dataset, _sd("namedGraph"), entry)
    yield Triple(entry, RDF_TYPE, _sd("NamedGraph"))
    yield Triple(entry, _sd("name"), NamedNode(name))
    if name in site.manifest.graphs:
        yield Triple(entry, _sd("graph"), graph)
        yield Triple(graph, RDF_TYPE, _sd("Graph"))
        yield Triple(graph, VOID_TRIPLES, _number(site.manifest.graphs[name]))


def limits_in_words(site: Site) -> str:
    """The limits of a query: announced, never silent."""
    known = site.settings
    rows = f", {known.query_rows} rows" if known.query_rows else ""
    return (
        f"Release {site.release}. The default graph is the union of all named graphs."
        f" A query may take {known.query_seconds:g} seconds, its text {known.query_bytes} bytes,"
        f" its answer {known.answer_bytes} bytes{rows}; an answer that would be larger is an error,"
        f" never a shorter answer. SERVICE, updates and graphs from elsewhere are refused."
    )


def _sd(name: str) -> NamedNode:
    return NamedNode(SD + name)


def _number(value: int) -> Literal:
    return Literal(str(value), datatype=XSD_INTEGER)
