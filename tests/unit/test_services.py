"""Other engines: asked by `query --endpoint`, filled by `build --load`."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyoxigraph as ox
import pytest

from publisher import ask, load, release
from publisher.errors import EngineUnavailable, MalformedQuery, UsageError
from publisher.names import Prefixes

PREFIXES = Prefixes((("ex", "http://ex/"), ("rdfs", "http://www.w3.org/2000/01/rdf-schema#")))


@dataclass
class Service:
    """A SPARQL service and graph store over a memory store, and what it was sent."""

    store: ox.Store = field(default_factory=ox.Store)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            query = parse_qs(body)["query"][0]
            try:
                answer = found.store.query(query)
            except SyntaxError as error:
                return self.reply(400, str(error).encode(), "text/plain")
            if isinstance(answer, ox.QueryTriples):
                return self.reply(
                    200, answer.serialize(format=ox.RdfFormat.TURTLE) or b"", "text/turtle"
                )
            kind = ox.QueryResultsFormat.JSON
            return self.reply(200, answer.serialize(format=kind) or b"", kind.media_type)

        def do_PUT(self) -> None:
            found.headers.append(dict(self.headers))
            name = ox.NamedNode(parse_qs(urlsplit(self.path).query)["graph"][0])
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "refuse" in self.path:
                return self.reply(403, b"not you", "text/plain")
            found.store.bulk_load(body, format=ox.RdfFormat.N_TRIPLES, to_graph=name)
            return self.reply(204, b"", "text/plain")

        def reply(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}/sparql"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_remote_answer_as_a_table_and_as_it_came(service: Service) -> None:
    """The graph's prefixes need not be declared there either."""
    service.store.add(
        ox.Quad(ox.NamedNode("http://ex/a"), ox.NamedNode("http://ex/p"), ox.Literal("one\ntwo"))
    )
    query = "SELECT ?s ?o { ?s ex:p ?o }"
    table = ask.remote(service.url, query, "table", PREFIXES, timeout=5).decode()
    assert table == "s     o\n----  -------\nex:a  one two\n1 rows\n"
    found = json.loads(ask.remote(service.url, query, "json", PREFIXES, timeout=5))
    assert found["results"]["bindings"][0]["o"]["value"] == "one\ntwo"
    turtle = ask.remote(service.url, "CONSTRUCT WHERE { ?s ex:p ?o }", "table", PREFIXES, timeout=5)
    assert b"<http://ex/a> <http://ex/p>" in turtle


def test_a_query_that_the_service_refuses(service: Service) -> None:
    """The question was wrong, not the service."""
    with pytest.raises(MalformedQuery):
        ask.remote(service.url, "SELECT ?s { ?s }", "json", PREFIXES, timeout=5)


def test_a_service_that_is_not_there() -> None:
    """Named by its address."""
    with pytest.raises(EngineUnavailable) as caught:
        ask.remote("http://127.0.0.1:9/sparql", "ASK {}", "json", PREFIXES, timeout=2)
    assert caught.value.where == "http://127.0.0.1:9/sparql"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("SELECT * { ?s ex:p ?o }", "PREFIX ex: <http://ex/> SELECT * { ?s ex:p ?o }"),
        (
            "PREFIX ex: <http://other/> ASK { ?s ex:p 1 }",
            "PREFIX ex: <http://other/> ASK { ?s ex:p 1 }",
        ),
        ("ASK { <http://ex:80/> ?p 1 }", "ASK { <http://ex:80/> ?p 1 }"),
    ],
)
def test_prefixes_are_declared_when_used_and_missing(query: str, wanted: str) -> None:
    """A query's own declaration wins."""
    assert ask.declare(query, PREFIXES) == wanted


def test_a_release_fills_a_graph_store(service: Service, lights_release: Path) -> None:
    """Every named graph, whole; the password travels in a header only."""
    found = release.read(lights_release)
    address = service.url.replace("//", "//me:s%20cret@").replace("sparql", "store?x=1")
    assert load.fill(address, found) == len(found.manifest["graphs"])
    counts = dict.fromkeys(found.manifest["graphs"], 0)
    for quad in service.store:
        assert isinstance(quad.graph_name, ox.NamedNode)
        counts[quad.graph_name.value] += 1
    assert counts == found.manifest["graphs"]
    assert service.headers[0]["Authorization"] == "Basic bWU6cyBjcmV0"


def test_a_store_that_refuses_says_why(service: Service, lights_release: Path) -> None:
    """With what it said, and without the password."""
    address = service.url.replace("//", "//me:secret@") + "?refuse=1"
    with pytest.raises(EngineUnavailable, match="403 not you") as caught:
        load.fill(address, release.read(lights_release))
    assert "secret" not in str(caught.value)
    with pytest.raises(UsageError):
        load.fill("file:///etc/passwd", release.read(lights_release))
