"""What an agent is told of this graph, by the tools that know nothing of its subject."""

import re
from collections.abc import Iterator

import pytest

from tests.agent import Client, start
from tests.conftest import Running


@pytest.fixture(scope="module")
def agent(graph_server: Running) -> Iterator[Client]:
    client = start(graph_server.release)
    client.begin()
    yield client
    client.end()


def test_both_sides_of_a_pair_are_told_with_numbers_and_sources(agent: Client) -> None:
    """By an abbreviation: claims for and against, effects, harms with denominators, DOIs."""
    text, data = agent.call(
        "evidence", therapy="SCS", condition="failed back surgery syndrome", limit=50
    )
    assert data["counts"]["disputed"] is True
    claims = next(part for part in data["parts"] if part["name"] == "pair-claims")
    sides = {side["side"]: side for side in claims["sides"]}
    assert sides["supports"]["total"] > 10
    assert sides["disputes"]["total"] > 3
    disputing = {row["source"]["iri"].rpartition("/")[2] for row in sides["disputes"]["rows"]}
    assert "doi-10.1001-jama.2022.18231" in disputing
    assert "(doi 10.1001/jama.2022.18231)" in text
    numbers = next(part for part in data["parts"] if part["name"] == "pair-numbers")
    assert any(row.get("p") for row in numbers["rows"])
    harms = next(part for part in data["parts"] if part["name"] == "pair-harms")
    assert any(row.get("denominator") for row in harms["rows"])
    named = {source["iri"] for source in data["sources"]}
    for side in claims["sides"]:
        assert {row["source"]["iri"] for row in side["rows"]} <= named
    unnamed = [s["iri"] for s in data["sources"] if not s["identifiers"]]
    assert all(iri.endswith("/founding-article") for iri in unnamed)  # whose address is not known
    assert "not medical advice" in text


def test_a_retraction_is_told_first(agent: Client) -> None:
    """Before anything that the source says."""
    _, data = agent.call(
        "sparql", query="SELECT ?s { ?s nmo:publicationStatus nmo:PublicationRetracted } LIMIT 1"
    )
    iri = data["rows"][0]["s"]["iri"]
    text, told = agent.call("describe", thing=iri)
    assert "Retracted" in told["flags"]
    assert "Retracted" in text.splitlines()[2]


@pytest.mark.parametrize("name", ["cq01", "cq04", "cq05"])
def test_stored_questions_are_answered(agent: Client, name: str) -> None:
    """As on the site."""
    _, data = agent.call("run_query", name=name)
    assert data["total"] > 0


def test_what_one_should_know_before_asking_is_true(agent: Client, graph_server: Running) -> None:
    """The hint on the page of the editor: its patterns find what they say, `a` alone does not."""
    page = graph_server.get("/query", accept="text/html").body.decode()
    hints = re.findall(r"<code>(\?x a/rdfs:subClassOf\* (nmo:\w+))</code>", page)
    assert len(hints) == 2
    for pattern, kind in hints:
        _, data = agent.call("sparql", query=f"SELECT (COUNT(DISTINCT ?x) AS ?n) {{ {pattern} }}")
        _, bare = agent.call("sparql", query=f"SELECT (COUNT(*) AS ?n) {{ ?x a {kind} }}")
        found, less = (int(each["rows"][0]["n"]["text"]) for each in (data, bare))
        assert found > less
