"""The engines: the release's own store, and any SPARQL service. Both pass the same tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pyoxigraph import BlankNode, Literal, NamedNode, Variable

from publisher.engine.embedded import Embedded
from publisher.engine.pool import Lanes
from publisher.engine.question import Budget, Dataset, Engine, Question
from publisher.errors import EngineUnavailable, MalformedQuery, QueryTimeout, QueryTooCostly
from publisher.remote import Remote, substituted
from publisher.settings import Settings
from publisher.web import create_app
from tests.conftest import BASE, NMO, SKOS, Running, path_of
from tests.security.hostile import RUNAWAY

THERAPY = BASE + "NMOD_0000001"


@pytest.fixture(scope="module", params=["embedded", "remote"])
def engine(request: pytest.FixtureRequest, release: Path, server: Running) -> Iterator[Engine]:
    """An engine of each kind over the same release."""
    if request.param == "remote":
        yield Remote(("http://127.0.0.1:1/none", server.url + "/sparql"))
        return
    found = Embedded(release, Lanes(fast=2, slow=1, slow_after=0.5))
    yield found
    found.close()


def whole(engine: Engine, question: Question, budget: Budget | None = None) -> bytes:
    """A whole answer."""
    found = engine.stream(question, budget or Budget())
    return b"".join((found.head, *(found.rest or ())))


def test_our_own_queries_give_terms_whole(engine: Engine) -> None:
    """Values, languages and datatypes arrive; what is unbound is left out."""
    query = (
        f"SELECT ?s ?l ?w ?x {{ ?s <{SKOS}prefLabel> ?l ; <{NMO}weight> ?w"
        f" OPTIONAL {{ ?s <{NMO}none> ?x }} }}"
    )
    rows = engine.select(query, {Variable("s"): NamedNode(THERAPY)})
    assert Literal("Rückenmarkstimulation", language="de") in [row["l"] for row in rows]
    assert all("x" not in row for row in rows)
    assert {row["w"].value for row in rows if isinstance(row["w"], Literal)} == {"4.5"}


def test_our_own_questions_are_answered(engine: Engine) -> None:
    """ASK, with and without values."""
    query = f"ASK {{ ?s a <{NMO}Therapy> }}"
    assert engine.ask(query)
    assert not engine.ask(query, {Variable("s"): NamedNode("http://example.org/none")})


def test_a_value_cannot_break_out_of_its_place(engine: Engine) -> None:
    """Substitution is of terms, not of text."""
    value = Literal('x" } UNION { ?s ?p ?o . ?s ?p "')
    assert engine.select("SELECT ?s ?v { ?s ?p ?v }", {Variable("v"): value}) == []


def test_lookups_counts_and_graphs_agree(engine: Engine, release: Path) -> None:
    """What is said of one thing; how much there is; in which graphs."""
    assert len(engine.lookup(THERAPY)) == 7
    assert engine.lookup("http://example.org/none") == []
    assert engine.lookup("not an IRI> ?p ?o") == []
    assert BASE + "graph/one" in engine.graphs()
    assert len(engine.graph(BASE + "graph/one")) == 6
    assert engine.count() > 1100


def test_a_description_goes_on_where_nodes_have_no_names(engine: Engine) -> None:
    """A list, what stands in it, and what that leads to; nothing of what has a name."""
    found = engine.described(BASE + "shape/Odd")
    assert len(found) == 2 + 4 + 1 + 1
    nodes = {t.subject for t in found}
    assert all(t.object in nodes for t in found if isinstance(t.object, BlankNode))
    assert engine.described(THERAPY) == engine.lookup(THERAPY)
    assert engine.described("http://example.org/none") == []


def test_anybodys_query_is_streamed(engine: Engine) -> None:
    """Small and large answers, and graphs."""
    assert whole(engine, Question("SELECT (1 AS ?x) {}", "csv")) == b"x\r\n1\r\n"
    large = whole(engine, Question("SELECT * { ?s ?p ?o FILTER(true) }", "json"))
    assert len(large) > 100_000
    assert b"Therapy" in whole(engine, Question(f"DESCRIBE <{THERAPY}>", "ntriples"))


def test_datasets_are_passed_on(engine: Engine) -> None:
    """The graphs of a request."""
    question = Question(
        "SELECT * { ?s ?p ?o FILTER(true) }", "tsv", Dataset((BASE + "graph/two",), ())
    )
    assert whole(engine, question).count(b"\n") == 3


def test_errors_are_of_one_family(engine: Engine) -> None:
    """Syntax, time and size."""
    with pytest.raises(MalformedQuery):
        whole(engine, Question("SELECT * {", "json"))
    with pytest.raises(QueryTimeout):
        whole(engine, Question(RUNAWAY["three-way cross join"], "json"), Budget(seconds=1.2))
    with pytest.raises(QueryTooCostly):
        whole(engine, Question("SELECT * { ?s ?p ?o FILTER(true) }", "json"), Budget(bytes=1000))


def test_a_service_that_cannot_be_reached_is_unavailable() -> None:
    """After all replicas were tried."""
    with pytest.raises(EngineUnavailable):
        Remote(("http://127.0.0.1:1/a", "http://127.0.0.1:1/b")).ask("ASK {}")


def test_values_stand_inside_the_outermost_pattern() -> None:
    """Prefixes and sub-queries stay where they are."""
    query = "# {\nPREFIX a: <b> SELECT * WHERE { { SELECT ?s { ?s ?p ?o } } }"
    found = substituted(query, {Variable("s"): NamedNode("http://a/")})
    assert found == query.replace("WHERE {", "WHERE { VALUES (?s) { (<http://a/>) }")


@pytest.fixture(scope="module")
def client(release: Path) -> Iterator[FlaskClient]:
    """The site through Flask alone."""
    app = create_app(release, Settings(query_seconds=2, slow_after=0.5, workers=1))
    yield app.test_client()
    app.extensions["publisher"].engine.close()


def test_everything_works_through_flask_alone(client: FlaskClient) -> None:
    """Queries, data, files, errors, preflight: without the front layer."""
    assert client.get(path_of("ASK { ?s ?p ?o FILTER(true) }")).json == {
        "head": {},
        "boolean": True,
    }
    posted = client.post(
        "/sparql", data={"query": "SELECT (1 AS ?x) {}"}, headers={"Accept": "text/csv"}
    )
    assert posted.data == b"x\r\n1\r\n"
    assert b"Therapy" in client.get("/NMOD_0000001.ttl").data
    assert client.get("/NMOD_0000001", headers={"Accept": "text/html"}).status_code == 200
    assert client.get("/downloads/all.nt").status_code == 200
    assert client.get("/health").json is not None
    assert client.get("/nothing").status_code == 404
    assert client.get("/sparql", query_string={"query": "x"}).status_code == 400
    assert client.put("/sparql").status_code == 405
    assert client.options("/sparql").headers["Access-Control-Allow-Origin"] == "*"
    tag = client.get("/NMOD_0000001.ttl").headers["ETag"]
    assert client.get("/NMOD_0000001.ttl", headers={"If-None-Match": tag}).status_code == 304


def test_a_site_over_a_remote_engine(server: Running, release: Path) -> None:
    """The same pages and data, from a service."""
    app = create_app(release, engine=Remote((server.url + "/sparql",)))
    client = app.test_client()
    assert b"Therapy" in client.get("/NMOD_0000001.ttl").data
    assert client.get(path_of("ASK { ?s ?p ?o }")).json == {"head": {}, "boolean": True}
    assert client.get(path_of("nonsense")).status_code == 400
