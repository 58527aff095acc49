"""The publisher knows no subject matter: lighthouses are served as well."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import rdflib

from publisher import build, check, corpus
from tests.conftest import ROOT, Running, path_of, start

LIGHTS = "http://example.org/lights/"


@pytest.fixture(scope="module")
def lights_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server over the small graph about lighthouses, checked and built as a user would."""
    folder: Path = tmp_path_factory.mktemp("lights")
    found = corpus.read(ROOT / "tests/fixtures/tiny")
    made = build.build(found, check.judge(found, processes=1), folder / "releases")
    running = start(made, folder / "log", workers=1, processes=1)
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("path", "status", "type_"),
    [
        ("/LGT_0001", 200, "text/html"),
        ("/LGT_0001.ttl", 200, "text/turtle"),
        ("/LGT_0003", 410, "text/html"),
        ("/range/0001-0010.jsonld", 200, "application/ld+json"),
        ("/downloads/lights.nt", 200, "application/n-triples"),
        ("/dataset", 200, "text/html"),
        ("/.well-known/void", 200, "text/turtle"),
        ("/queries", 200, "text/html"),
    ],
)
def test_what_is_served(lights_server: Running, path: str, status: int, type_: str) -> None:
    """Things, forms of them, a retired one, a derived one, files, descriptions."""
    reply = lights_server.request("GET", path, headers={"Accept": "text/html,*/*;q=0.1"})
    assert (reply.status, reply.type) == (status, type_)


def test_what_can_be_asked(lights_server: Running) -> None:
    """Its own prefixes, its own names, and no neuromodulation."""
    query = (
        "ASK { <http://example.org/lights/LGT_0001> a <http://example.org/lights/ontology#Light> }"
    )
    assert lights_server.get(path_of(query)).json()["boolean"] is True
    found = lights_server.get("/search?q=candle", accept="application/json").json()
    assert "LGT_0001" in str(found["results"])
    page = lights_server.get("/LGT_0001", accept="text/html").body.decode()
    assert "Grey Point" in page
    assert "neuromod" not in page.lower().replace("neuromodkg", "")


def test_data_of_a_named_graph_describe_the_graph_too(lights_server: Running) -> None:
    """Its statements, and statements about it: whoever asks for an IRI learns what it is."""
    name = "http://example.org/lights/graph/isbn-978-0-00-000001-9"
    body = lights_server.get("/graph/isbn-978-0-00-000001-9.nt").body.decode()
    assert f"<{name}> <http://rdfs.org/ns/void#triples>" in body
    assert "<http://example.org/lights/sighting/isbn-978-0-00-000001-9.1>" in body
    page = lights_server.get("/graph/isbn-978-0-00-000001-9", accept="text/html").body.decode()
    assert 'href="/source/isbn-978-0-00-000001-9"' in page


def test_shapes_are_a_page_and_data(lights_server: Running) -> None:
    """In words with links to the terms; in every graph format, by Accept and by suffix."""
    page = lights_server.get("/shapes", accept="text/html").body.decode()
    assert "a sighting has one verdict" in page
    assert 'href="/ontology#verdict"' in page
    for path, accept in (("/shapes", "application/n-triples"), ("/shapes.nt", None)):
        reply = lights_server.get(path, accept=accept)
        assert (reply.status, reply.type) == (200, "application/n-triples")
        assert b"targetClass> <http://example.org/lights/ontology#Light> ." in reply.body
    for suffix, kind in (("ttl", "text/turtle"), ("jsonld", "application/ld+json")):
        assert lights_server.get("/shapes", accept=kind).type == kind
        assert lights_server.get(f"/shapes.{suffix}").type == kind


def test_a_shape_dereferences_whole(lights_server: Running) -> None:
    """As a page, and as data with the unnamed shapes inside it."""
    page = lights_server.get("/shape/Sighting", accept="text/html").body.decode()
    assert "miles are a number, 0 or more" in page
    for suffix in ("nt", "ttl", "jsonld", "rdf"):
        body = lights_server.get(f"/shape/Sighting.{suffix}").body.decode()
        assert "miles are a number, 0 or more" in body
        assert "decimal" in body  # inside sh:or inside the unnamed shape
    assert lights_server.get("/shape/Sighting-source.ttl").status == 200


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_the_dataset_is_described_whole_under_every_address(lights_server: Running) -> None:
    """A harvester may follow the link of the page: the files must be listed there, too."""
    whole = graph_of(lights_server.get("/dataset", accept="application/n-triples").body, "nt")
    dcat = rdflib.Namespace("http://www.w3.org/ns/dcat#")
    files = set(whole.objects(rdflib.URIRef(LIGHTS + "dataset"), dcat.distribution))
    assert len(files) > 10
    for suffix, kind in (("ttl", "turtle"), ("nt", "nt"), ("rdf", "xml"), ("jsonld", "json-ld")):
        found = graph_of(lights_server.get(f"/dataset.{suffix}").body, kind)
        assert set(found) == set(whole), suffix


def test_every_name_in_the_description_dereferences(lights_server: Running) -> None:
    """Files, sums, partitions, releases: who follows a name learns what it is."""
    whole = graph_of(lights_server.get("/dataset", accept="application/n-triples").body, "nt")
    named = {str(node) for node in whole.subjects() if str(node).startswith(LIGHTS)}
    for iri in sorted({iri.partition("#")[0] for iri in named} - {LIGHTS + "sparql"}):
        found = lights_server.get(iri.removeprefix(LIGHTS[:-1]), accept="application/n-triples")
        assert found.status == 200, iri
        subjects = {str(node) for node in graph_of(found.body, "nt").subjects()}
        assert {name for name in named if name.partition("#")[0] == iri} <= subjects, iri


def graph_of(body: bytes, kind: str) -> rdflib.Graph:
    return rdflib.Graph().parse(data=body, format=kind)


def test_a_release_without_shapes_has_no_such_page(server: Running) -> None:
    """And says so."""
    assert server.get("/shapes", accept="text/html").status == 404
    assert server.get("/shapes.ttl").status == 404


def test_the_sitemap_lists_what_is_there(lights_server: Running) -> None:
    """Search engines take a listed page that is gone for a fault."""
    index = lights_server.get("/sitemap.xml").body.decode()
    parts = [lights_server.get(path).body.decode() for path in _listed(lights_server, index)]
    paths = [path for part in parts for path in _listed(lights_server, part)]
    assert "/LGT_0001" in paths
    assert {path: s for path in paths if (s := lights_server.get(path).status) != 200} == {}


def _listed(server: Running, text: str) -> list[str]:
    return [found.removeprefix(server.url) for found in re.findall("<loc>(.*?)</loc>", text)]


def test_every_page_stands_without_settings_of_its_own(lights_server: Running) -> None:
    """A graph need not have a map, a menu or a home page of its own, and warns of what it says."""
    for path in ("/", "/about", "/query", "/mappings", "/downloads/", "/ontology", "/llms.txt"):
        reply = lights_server.get(path, accept="text/html")
        assert reply.status == 200, path
        text = reply.body.decode().lower()
        assert "medical" not in text, path
        assert "/matrix" not in text, path
    assert lights_server.get("/matrix", accept="text/html").status == 404
    assert "do not navigate by it" in lights_server.get("/", "text/html").body.decode()
