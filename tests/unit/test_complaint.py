"""What somebody is told of a query that cannot be read."""

import pyoxigraph as ox
import pytest

from publisher.engine.complaint import explain, undeclared
from publisher.errors import MalformedQuery

KNOWN = {"skos": "http://www.w3.org/2004/02/skos/core#", "nmo": "http://a/nmo#"}


def told(query: str) -> MalformedQuery:
    """The complaint about a query that the engine refuses."""
    with pytest.raises(SyntaxError) as refused:
        ox.Store().query(query, prefixes=KNOWN)
    return explain(refused.value, query, KNOWN)


@pytest.mark.parametrize(
    ("query", "prefix", "line", "column"),
    [
        ("SELECT * { ?s foo:bar ?o }", "foo", 1, 15),
        ("SELECT * {\n  ?s skos:a/foo:bar ?o }", "foo", 2, 13),
        ("ASK { ?s skos:label 'a:b' ; foo:x 1 }", "foo", 1, 29),
        ("SELECT (foo:f(?x) AS ?y) {}", "foo", 1, 9),
        ('ASK { ?s ?p "1"^^foo:int }', "foo", 1, 18),
        ("ASK { GRAPH foo:g { ?s ?p ?o } }", "foo", 1, 13),
        ("ASK { _:b skos:a foo: }", "foo", 1, 18),
        ("ASK { ?s ?p ?o FILTER(?o = :x) }", "", 1, 28),
        ("DESCRIBE foo:bar", "foo", 1, 10),
        ("SELECT * FROM foo:g { ?s ?p ?o }", "foo", 1, 15),
        ("prefix ex: <urn:x> ASK { ex:a ex:b ey:c }", "ey", 1, 36),
        ("ASK { # no:comment\n ?s ?p '''no:text''', <no:iri>, foo:a }", "foo", 2, 33),
        ("ASK { 'é🧠' skos:a foo:b }", "foo", 1, 19),
    ],
)
def test_an_undeclared_prefix_is_named(query: str, prefix: str, line: int, column: int) -> None:
    """With its place, and what to write."""
    found = told(query)
    assert found.what == f"the prefix {prefix}: is not declared"
    assert (found.line, found.column) == (line, column)
    assert f"PREFIX {prefix}: <...>" in found.fix


def test_a_prefix_that_is_nearly_known_is_offered() -> None:
    """Most of them are slips."""
    assert told("ASK { ?s skso:prefLabel ?o }").fix.startswith("did you mean skos:")


@pytest.mark.parametrize(
    "query",
    [
        "ASK { ?s ?p }",
        "ASK { ?s ?p ?o",
        "SELEC * {}",
        "ASK { ?s ?p ) . foo:a ?b ?c }",
        "ASK { ?s ?p '",
    ],
)
def test_another_error_is_not_taken_for_a_prefix(query: str) -> None:
    """What is wrong first is told, in one short line with its place."""
    found = told(query)
    assert "is not declared" not in found.what
    assert found.line == 1
    assert found.column > 0
    assert len(found.what) <= 160
    assert "\n" not in found.what


def test_declared_and_known_prefixes_are_no_complaint() -> None:
    """Neither are the names of blank nodes, variables, texts and IRIs."""
    query = (
        "PREFIX : <urn:x> PREFIX a.b: <urn:y> ASK { :a a.b:c _:d ; skos:e 'f:g'@en-x, ?h, <i:j> }"
    )
    assert list(undeclared(query, KNOWN)) == []


@pytest.mark.parametrize(
    ("query", "what", "fix"),
    [
        ("SELECT ?a (COUNT(?b) AS ?n) { ?a ?c ?b }", "neither grouped by", "GROUP BY"),
        ("SELECT (STR(?a) AS ?s) { ?a ?c ?b } GROUP BY (STR(?a))", "neither grouped by", "BIND"),
        ("SELECT (1 AS ?s) { ?s ?p ?o }", "binds already", "another name"),
        ("SELECT * { ?s ?p ?o } GROUP BY ?s", "cannot stand with GROUP BY", "name what"),
    ],
)
def test_a_query_without_a_meaning_is_told_in_words(query: str, what: str, fix: str) -> None:
    """What the engine could read, but not understand, is no list of letters."""
    found = told(query)
    assert what in found.what
    assert fix in found.fix


@pytest.mark.parametrize("query", ["ASK { ?s ?p (COUNT(?x)) }", "ASK { ?s ?p '", "ASK { _:a }"])
def test_no_class_of_characters_is_told(query: str) -> None:
    """A list of ranges of letters helps nobody."""
    assert ".." not in told(query).what
    assert "[" not in told(query).what
