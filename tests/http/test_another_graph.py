"""The publisher knows no subject matter: lighthouses are served as well."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher import build, check, corpus
from tests.conftest import ROOT, Running, path_of, start


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
