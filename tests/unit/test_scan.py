"""A pattern read from an index gives what the engine gives for the same query."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, QueryResultsFormat, QueryTriples, Store

from publisher.engine import scan, simple

BASE = "http://example.org/"
PREFIXES = {"ex": BASE, "xsd": "http://www.w3.org/2001/XMLSchema#"}
SUBJECTS: list[NamedNode | BlankNode] = [
    NamedNode(BASE + "a"),
    NamedNode(BASE + "b"),
    BlankNode("b0"),
]
PREDICATES = [NamedNode(BASE + "p"), NamedNode(BASE + "q"), scan.RDF_TYPE]
OBJECTS = [
    *SUBJECTS,
    Literal('quote " back \\ tab \t line \n \x01 \x7f é \u2028 \U0001f9e0'),
    Literal("x", language="en-GB"),
    Literal("04", datatype=NamedNode(PREFIXES["xsd"] + "integer")),
    Literal("1.50", datatype=NamedNode(PREFIXES["xsd"] + "decimal")),
    Literal("", datatype=NamedNode(BASE + "own")),
    Literal("\u05d0", language="he", direction=None),
]


def filled() -> Store:
    """Every subject with every predicate and some objects; a graph that must not be seen."""
    store = Store()
    for place, subject in enumerate(SUBJECTS):
        for predicate in PREDICATES:
            for value in OBJECTS[place:]:
                store.add(Quad(subject, predicate, value))
    store.add(Quad(SUBJECTS[0], PREDICATES[0], Literal("hidden"), NamedNode(BASE + "g")))
    return store


STORE = filled()


def told(body: bytes) -> Any:
    """Results without their order, which neither promises."""
    found = json.loads(body)
    if "results" in found:
        rows = found["results"]["bindings"]
        found["results"] = Counter(json.dumps(row, sort_keys=True) for row in rows)
    return found


def native(query: str) -> bytes:
    """The engine's own answer."""
    results = STORE.query(query, prefixes=PREFIXES)
    assert not isinstance(results, QueryTriples)
    return results.serialize(format=QueryResultsFormat.JSON) or b""


subject = st.sampled_from(["?s", "<http://example.org/a>", "ex:b", "ex:none"])
predicate = st.sampled_from(["?p", "ex:p", "a", "<http://example.org/q>"])
value = st.sampled_from(["?o", "ex:b", '"x"@en-GB', "4", '"04"^^xsd:integer'])
projection = st.sampled_from(["*", "?s", "?o ?p", "$o", "?p ?s ?o", "?none ?o"])


@given(subject, predicate, value, projection, st.booleans(), st.sampled_from(["", " LIMIT 1000"]))
@example("ex:a", "?p", "?o", "?p", True, " LIMIT 1000")
def test_it_says_what_the_engine_says(
    s: str, p: str, o: str, names: str, distinct: bool, limit: str
) -> None:
    """For every form of pattern, projection and DISTINCT."""
    query = f"SELECT {'DISTINCT ' * distinct}{names} WHERE {{ {s} {p} {o} }}{limit}"
    question = simple.read(query)
    if question is None:
        return
    found = scan.answer(question, STORE, PREFIXES)
    if found is not None:
        assert told(found) == told(native(query))


@given(subject, predicate, value)
def test_ask_says_what_the_engine_says(s: str, p: str, o: str) -> None:
    """Yes or no."""
    query = f"ASK {{ {s} {p} {o} }}"
    question = simple.read(query)
    assert question is not None
    found = scan.answer(question, STORE, PREFIXES)
    if found is not None:
        assert json.loads(found) == json.loads(native(query))


def test_common_questions_are_answered() -> None:
    """Not by leaving everything to the engine."""
    for query in ("SELECT ?p ?o { ex:a ?p ?o }", "SELECT * { ?s a ?o } LIMIT 3", "ASK {ex:a a ?x}"):
        question = simple.read(query)
        assert question is not None
        assert scan.answer(question, STORE, PREFIXES) is not None, query


def test_a_limit_is_kept() -> None:
    """With DISTINCT it counts what is left."""
    for query, count in (
        ("SELECT ?o { ex:a ?p ?o } LIMIT 2", 2),
        ("SELECT ?o { ex:a ?p ?o } LIMIT 0", 0),
        ("SELECT DISTINCT ?p { ex:a ?p ?o } LIMIT 2", 2),
        ("SELECT DISTINCT ?p { ex:a ?p ?o }", 3),
    ):
        question = simple.read(query)
        assert question is not None
        body = scan.answer(question, STORE, PREFIXES)
        assert body is not None
        assert len(json.loads(body)["results"]["bindings"]) == count, query


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?o { <relative> ?p ?o }",
        "SELECT ?o { nobody:knows ?p ?o }",
        "SELECT ?o { ex:a A ?o }",
        "SELECT ?o ?o { ex:a ?p ?o }",
        'SELECT ?s { ?s ?p "x"@en-GB } LIMIT 1',
        "DESCRIBE ex:a",
    ],
)
def test_the_rest_is_left_to_the_engine(query: str) -> None:
    """Errors above all, which the engine words; literals, which the store writes its own way."""
    question = simple.read(query)
    assert question is None or scan.answer(question, STORE, PREFIXES) is None


def test_the_querys_own_prefix_counts_for_more() -> None:
    """As SPARQL has it."""
    query = f"PREFIX ex: <http://other.example/> PREFIX o: <{BASE}> SELECT ?o {{ o:a ?p ?o }}"
    question = simple.read(query)
    assert question is not None
    assert told(scan.answer(question, STORE, PREFIXES) or b"") == told(native(query))
    query = "PREFIX ex: <http://other.example/> SELECT ?o { ex:a ?p ?o }"
    question = simple.read(query)
    assert question is not None
    body = scan.answer(question, STORE, PREFIXES)
    assert body is not None
    assert json.loads(body)["results"]["bindings"] == []


def test_an_ask_with_a_limit_is_the_engines() -> None:
    """With LIMIT 0 it is false, whatever there is."""
    assert simple.read("ASK { ex:a ?p ?o } LIMIT 0") is None
