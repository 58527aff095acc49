"""Joins that are answered where they were received: over HTTP they are the same as any other."""

import csv
import io
import json
import re
from collections import Counter

import pytest

from tests.conftest import BASE, Running

JSON = "application/sparql-results+json"
JOINS = [
    "SELECT ?a ?c { ?a nmo:next ?b . ?b nmo:next ?c } ORDER BY ?a ?c LIMIT 7",
    "SELECT ?b ?c { ?a nmo:next ?b . ?b nmo:next ?c . ?c nmo:next ?d . ?d nmo:next ?a }",
    "SELECT * { ?t nmo:weight ?n ; a ?k FILTER(?n > 3 && ?n <= 4.5) } ORDER BY DESC(?n)",
    "SELECT DISTINCT ?k { ?a a ?k . ?c nmo:therapy ?a ; a nmo:Claim }",
    "SELECT ?c ?l { ?c nmo:therapy ?t . ?t skos:prefLabel ?l } ORDER BY ?c",
    'SELECT ?t ?l { ?t a nmo:Therapy ; skos:prefLabel ?l FILTER(LANG(?l) = "en") } ORDER BY ?l',
]


def here(server: Running) -> int:
    """How many queries the serving processes have answered themselves."""
    text = server.get("/metrics").body.decode()
    found = re.search(r'queries_total\{place="here"\} (\d+)', text)
    return int(found[1]) if found else 0


@pytest.mark.parametrize("query", JOINS)
def test_an_answer_is_the_same_in_another_format(server: Running, query: str) -> None:
    """JSON comes from columns where it can, CSV from a query process: they hold the same rows."""
    answered = server.query(query, JSON)
    assert answered.status == 200
    table = json.loads(answered.body)
    names = table["head"]["vars"]
    rows = [tuple(row[n]["value"] for n in names) for row in table["results"]["bindings"]]
    text = server.query(query, "text/csv").body.decode()
    head, *lines = csv.reader(io.StringIO(text, newline=""))
    assert head == names
    assert Counter(rows) == Counter(map(tuple, lines))
    assert rows


def test_a_join_takes_no_query_process(server: Running) -> None:
    """It is counted as answered where it was received."""
    before = here(server)
    query = "SELECT ?t ?l { ?t a nmo:Therapy ; skos:prefLabel ?l ; nmo:count ?n } LIMIT 11"
    assert server.query(query, JSON).status == 200
    assert here(server) == before + 1


def test_faults_of_a_join_are_told_as_ever(server: Running) -> None:
    """What only looks like a join gets the engine's word."""
    answered = server.query("SELECT ?x { ?x nobody:p ?y . ?y nobody:q ?z }", JSON)
    assert answered.status == 400
    assert b"nobody" in answered.body


@pytest.mark.parametrize("form", [JSON, "text/csv"])
def test_a_name_with_several_dots_may_stand_anywhere(server: Running, form: str) -> None:
    """Names of sources and claims have many (of DOIs)."""
    query = "SELECT ?p { source:doi-10.1111-ner.12208 ?p ?o FILTER(?o != claim:a.b.c.1) }"
    prologue = f"PREFIX claim: <{BASE}claim/> PREFIX source: <{BASE}source/>"
    answered = server.query(f"{prologue} {query}", form)
    assert answered.status == 200
    assert b"says" in answered.body


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?a ?b { ?a nmo:next ?b }",
        "SELECT ?a ?c { ?a nmo:next ?b . ?b nmo:next ?c }",
        "SELECT ?a ?b { ?a nmo:next ?b } ORDER BY ?b",
        "SELECT DISTINCT ?b { ?a nmo:next ?b . ?b nmo:next ?c }",
    ],
)
def test_pages_of_an_answer_miss_nothing(server: Running, query: str) -> None:
    """Whoever answers them, all have one order: each row comes once."""
    rows: Counter[str] = Counter()
    for start in range(0, 1200, 300):
        more = f" OFFSET {start}" if start else ""
        table = json.loads(server.query(f"{query} LIMIT 300{more}", JSON).body)
        rows.update(json.dumps(row, sort_keys=True) for row in table["results"]["bindings"])
    assert len(rows) == 1101 if "?a ?b" in query and "ORDER" not in query else len(rows) >= 1100
    assert set(rows.values()) == {1}
