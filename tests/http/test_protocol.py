"""SPARQL 1.1 Protocol, as clients meet it on the wire."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pyoxigraph as ox
import pytest

from tests.conftest import BASE, NMO, ROOT, Running, path_of

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DIRECT = {"Content-Type": "application/sparql-query"}
ASK = "ASK { ?s ?p ?o }"
LABEL = 'SELECT ?t { ?t skos:prefLabel "spinal cord stimulation"@en }'


def bindings(body: bytes) -> list[dict[str, Any]]:
    """The rows of a JSON answer."""
    found: list[dict[str, Any]] = json.loads(body)["results"]["bindings"]
    return found


@pytest.mark.parametrize("method", ["get", "form", "direct"])
def test_a_query_is_answered_however_it_is_sent(server: Running, method: str) -> None:
    """GET, POST form and POST direct give the same answer."""
    found = {
        "get": lambda: server.get(path_of(LABEL)),
        "form": lambda: server.request("POST", "/sparql", urlencode({"query": LABEL}), FORM),
        "direct": lambda: server.request("POST", "/sparql", LABEL, DIRECT),
    }[method]()
    assert found.status == 200
    assert found.type == "application/sparql-results+json"
    assert bindings(found.body) == [{"t": {"type": "uri", "value": BASE + "NMOD_0000001"}}]


def test_a_field_is_decoded_once(server: Running) -> None:
    """`%20` inside a literal stays as it is: peers decode forms twice."""
    query = 'SELECT ("100%20+%2B" AS ?x) {}'
    found = server.request("POST", "/sparql", urlencode({"query": query}), FORM)
    assert bindings(found.body)[0]["x"]["value"] == "100%20+%2B"
    assert bindings(server.get(path_of(query)).body)[0]["x"]["value"] == "100%20+%2B"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/sparql-results+json", "application/sparql-results+json"),
        ("application/sparql-results+xml", "application/sparql-results+xml"),
        ("text/csv", "text/csv"),
        ("text/tab-separated-values", "text/tab-separated-values"),
        ("application/json", "application/json"),
        ("*/*", "application/sparql-results+json"),
        ("text/csv;q=0.4, application/sparql-results+xml;q=0.5", "application/sparql-results+xml"),
    ],
)
def test_results_come_in_the_form_that_was_asked_for(
    server: Running, accept: str, kind: str
) -> None:
    """Every result format, for SELECT and for ASK."""
    for query in ("SELECT ?l { NMOD:0000003 skos:prefLabel ?l }", ASK):
        found = server.query(query, accept)
        assert (found.status, found.type) == (200, kind)
        assert "accept" in found.headers["vary"].lower()
    text = server.query("SELECT ?l { NMOD:0000003 skos:prefLabel ?l }", "text/csv").body.decode()
    assert list(csv.reader(io.StringIO(text)))[1] == ['pain 100% "real" <b> & more']
    xml = server.query(LABEL, "application/sparql-results+xml").body
    assert ET.fromstring(xml).tag.endswith("sparql")


@pytest.mark.parametrize("suffix", ["turtle", "n-triples", "rdf+xml", "ld+json", "n-quads", "trig"])
def test_graphs_come_in_the_form_that_was_asked_for(server: Running, suffix: str) -> None:
    """Every graph format parses, and all hold the same triples."""
    kind = "text/turtle" if suffix == "turtle" else f"application/{suffix}"
    for query in (
        "CONSTRUCT { ?s a ?c } WHERE { ?s a ?c }",
        "DESCRIBE NMOD:0000001",
        "CONSTRUCT { ?s ?p ?o } WHERE { BIND(NMOD:0000003 AS ?s) ?s ?p ?o }",
    ):
        found, plain = server.query(query, kind), server.query(query, "application/n-triples")
        assert (found.status, found.type) == (200, kind)
        form = ox.RdfFormat.from_media_type(kind)
        assert form is not None
        triples = {quad.triple for quad in ox.parse(found.body, format=form)}
        assert triples == {q.triple for q in ox.parse(plain.body, format=ox.RdfFormat.N_TRIPLES)}
        assert triples


@pytest.mark.parametrize(
    "accept", ["image/png", "foo", "application/x-foo", "*", ";;,,", "text/csv;q=2", "*/*;q=0"]
)
def test_nothing_that_fits_is_406(server: Running, accept: str) -> None:
    """Unknown or malformed, the problem says what would fit."""
    found = server.query(ASK, accept)
    assert (found.status, found.type) == (406, "application/problem+json")
    assert found.json()["offered"] == [
        "application/sparql-results+json",
        "application/sparql-results+xml",
        "text/csv",
        "text/tab-separated-values",
    ]


def test_each_form_of_query_has_its_formats(server: Running) -> None:
    """A graph for CONSTRUCT and DESCRIBE, a table for the others; one good wish is enough."""
    assert server.query(ASK, "text/turtle").status == 406
    assert server.query("DESCRIBE <urn:x>", "text/csv").status == 406
    assert server.query(ASK, "foo, text/csv").type == "text/csv"
    assert server.request("GET", path_of(ASK), headers={"Accept": ""}).status == 200


def test_a_syntax_error_says_where_it_is(server: Running) -> None:
    """Line and column are members of the problem."""
    found = server.query("SELECT * {\n  ?s ?p\n}")
    assert (found.status, found.type) == (400, "application/problem+json")
    assert (found.json()["line"], found.json()["status"]) == (3, 400)
    assert isinstance(found.json()["column"], int)
    # once by a lookup that is answered where it arrives, once by a query process
    for query in ("SELECT * { NMOD:1 foo:bar ?o }", "SELECT * { ?s foo:bar ?o FILTER(true) }"):
        found = server.query(query)
        assert found.json()["detail"] == "the prefix foo: is not declared"
        assert (found.json()["line"], found.json()["column"]) == (1, query.index("foo") + 1)
        assert "PREFIX foo:" in str(found.json()["fix"])


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/sparql?query=ASK{}&query=ASK{}", None, {}, 400),
        ("POST", "/sparql?query=ASK{}", "query=ASK{}", FORM, 400),
        ("POST", "/sparql?query=ASK{}", "ASK {}", DIRECT, 400),
        ("GET", "/sparql?update=CLEAR%20ALL", None, {}, 403),
        ("POST", "/sparql", "update=CLEAR+ALL", FORM, 403),
        ("POST", "/sparql", "CLEAR ALL", {"Content-Type": "application/sparql-update"}, 403),
        ("POST", "/sparql", "CLEAR ALL", DIRECT, 403),
        ("POST", "/sparql", "LOAD <http://127.0.0.1:1/>", DIRECT, 403),
        ("POST", "/sparql", "ASK {}", {"Content-Type": "text/plain"}, 415),
        ("POST", "/sparql", "ASK {}", {}, 415),
        (
            "POST",
            "/sparql",
            "ASK {}",
            DIRECT | {"Content-Type": "application/sparql-query; charset=utf-16"},
            415,
        ),
        ("POST", "/sparql", b"ASK { ?s ?p '\xff' }", DIRECT, 400),
        ("POST", "/sparql", "query=%FF", FORM, 400),
        ("GET", "/sparql?query=%C3%28", None, {}, 400),
        ("POST", "/sparql", "", FORM, 400),
        ("POST", "/sparql", "x=1", FORM, 400),
        ("PUT", "/sparql?query=ASK{}", None, {}, 405),
        ("DELETE", "/sparql", None, {}, 405),
        ("PATCH", "/sparql", "ASK {}", DIRECT, 405),
        ("GET", "/sparql?query=ASK{}&default-graph-uri=relative", None, {}, 400),
        ("GET", "/sparql?query=ASK{}&default-graph-uri=a%20b:c", None, {}, 400),
        ("GET", "/sparql?" + "a=1&" * 500 + "query=ASK{}", None, {}, 400),
        ("GET", "/sparql?query=" + quote("ASK { ?s ?p '\x00' "), None, {}, 400),
    ],
)
def test_what_is_not_one_query_is_refused(
    server: Running, method: str, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    """The status says what kind of mistake it was; CORS is there so that a program can read it."""
    found = server.request(method, path, body, headers)
    assert found.status == status
    assert found.type == "application/problem+json"
    assert found.headers["access-control-allow-origin"] == "*"
    assert found.json()["status"] == status


def test_an_update_changes_nothing(server: Running) -> None:
    """Refused however it is sent, and the data is as before."""
    before = server.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").body
    for body in ("DELETE WHERE { ?s ?p ?o }", "PREFIX a: <urn:a> INSERT DATA { a:b a:c a:d }"):
        assert server.request("POST", "/sparql", body, DIRECT).status == 403
    assert server.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").body == before


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, 2),
        ({"default-graph-uri": BASE + "graph/one"}, 1),
        ({"default-graph-uri": BASE + "graph/two"}, 1),
        ({"default-graph-uri": [BASE + "graph/one", BASE + "graph/concepts"]}, 2),
        ({"default-graph-uri": BASE + "graph/none"}, 0),
        ({"named-graph-uri": BASE + "graph/one"}, 0),
    ],
)
def test_the_dataset_of_the_request_is_used(
    server: Running, fields: dict[str, Any], count: int
) -> None:
    """default-graph-uri and named-graph-uri decide what is asked."""
    query = "SELECT * { ?s a ?c FILTER(?c IN (nmo:Claim, nmo:Condition)) }"
    path = "/sparql?" + urlencode({"query": query, **fields}, doseq=True)
    assert len(bindings(server.get(path).body)) == count


def test_the_default_graph_is_the_union_and_counts_a_triple_once(server: Running) -> None:
    """A triple that stands in two graphs is one triple of the union."""
    claim = f"<{BASE}claim/one.1> a nmo:Claim"
    assert len(bindings(server.query(f"SELECT * {{ {claim} FILTER(true) }}").body)) == 1
    assert len(bindings(server.query(f"SELECT ?g {{ GRAPH ?g {{ {claim} }} }}").body)) == 2
    for both in (
        f"FROM <{BASE}graph/one> FROM <{BASE}graph/two>",
        "FROM graph:one FROM graph:two",
        "FROM <graph/one> FROM <graph/two>",
        f"FROM graph:one FROM <{BASE}graph/two>",
        "FROM graph:one FROM graph:one",
        f"FROM <{BASE}graph/one> FROM <{BASE}graph/one>",
    ):
        query = f"PREFIX graph: <{BASE}graph/> SELECT * {both} {{ ?s a nmo:Claim }}"
        assert len(bindings(server.query(query).body)) == 1, both
    twice = f"default-graph-uri={quote(BASE + 'graph/one')}"
    found = server.get(f"{path_of('SELECT * { ?s a nmo:Claim }')}&{twice}&{twice}")
    assert len(bindings(found.body)) == 1
    wrong = server.query("SELECT * FROM nobodys:one FROM nobodys:two { ?s a nmo:Claim }")
    assert wrong.status == 400
    for source in ("<http://example.org/g>", "e:g", "<../elsewhere>"):
        foreign = f"PREFIX e: <http://example.org/> SELECT * FROM {source} {{ ?s ?p ?o }}"
        assert server.query(foreign).status == 403, source


@pytest.mark.parametrize("name", ["graph", "other"])
def test_pages_of_an_answer_make_the_whole(server: Running, name: str) -> None:
    """The first page, which few ask for with OFFSET, is answered elsewhere than the others."""
    query = f"PREFIX {name}: <urn:x> SELECT ?s ?p ?o {{ ?s ?p ?o }} LIMIT 100"
    pages = [query, *(f"{query} OFFSET {start}" for start in range(100, 1500, 100))]
    rows = [json.dumps(row) for page in pages for row in bindings(server.query(page).body)]
    whole = bindings(server.query("SELECT ?s ?p ?o { ?s ?p ?o }").body)
    assert 1000 < len(whole) < 1500
    assert sorted(rows) == sorted(json.dumps(row) for row in whole)


def test_from_and_from_named_select_graphs(server: Running) -> None:
    """The query's own dataset is used, and the request's wins over it."""
    inside = f"SELECT * FROM <{BASE}graph/two> {{ ?s ?p ?o }}"
    assert len(bindings(server.query(inside).body)) == 2
    named = f"SELECT * FROM NAMED <{BASE}graph/two> {{ GRAPH ?g {{ ?s a ?o }} }}"
    assert len(bindings(server.query(named).body)) == 1
    found = server.get(path_of(inside, **{"default-graph-uri": BASE + "graph/many"}))
    assert len(bindings(found.body)) == 1100


def test_a_sub_query_that_would_lose_the_graph_is_refused(server: Running) -> None:
    """Better no answer than a wrong one; the problem says how to write it."""
    found = server.query("SELECT ?g ?s { GRAPH ?g { SELECT ?s { ?s ?p ?o } } }")
    assert found.status == 400
    assert "?g" in str(found.json()["fix"])


def test_relative_names_and_our_prefixes_are_understood(server: Running) -> None:
    """The base is the graph's, so `<NMOD_0000001>` and `NMOD:0000001` name one thing."""
    found = server.query("SELECT * { <NMOD_0000001> skos:altLabel ?a FILTER(true) }")
    assert bindings(found.body)[0]["a"]["value"] == "SCS"


def test_the_service_describes_itself_at_the_address_that_was_asked(server: Running) -> None:
    """Its endpoint is the URL of the request, its graphs are those of the release."""
    for path in ("/sparql", "/sparql/"):
        found = server.get(path, "text/turtle")
        assert found.status == 200
        triples = [q.triple for q in ox.parse(found.body, format=ox.RdfFormat.TURTLE)]
        service = ox.NamedNode(server.url + "/sparql")
        sd = "http://www.w3.org/ns/sparql-service-description#"
        assert ox.Triple(service, ox.NamedNode(sd + "endpoint"), service) in triples
        assert ox.NamedNode(BASE + "graph/one") in {t.object for t in triples}
        union = ox.NamedNode(sd + "UnionDefaultGraph")
        assert ox.Triple(service, ox.NamedNode(sd + "feature"), union) in triples
    named = server.request("GET", "/sparql", headers={"Host": "sparql.example.org"})
    assert b"<http://sparql.example.org/sparql>" in named.body


def test_head_and_options_are_answered(server: Running) -> None:
    """HEAD has the headers of GET and no body; OPTIONS serves the browser's preflight."""
    head, full = server.request("HEAD", path_of(ASK)), server.get(path_of(ASK))
    assert (head.status, head.body) == (200, b"")
    for name in ("content-type", "etag", "content-length"):
        assert head.headers[name] == full.headers[name]
    asked = server.request(
        "OPTIONS",
        "/sparql",
        headers={"Origin": "http://a", "Access-Control-Request-Method": "POST"},
    )
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in asked.headers
    assert "POST" in asked.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/sparql", "GET, HEAD, POST, OPTIONS"),
        ("/reconcile", "GET, HEAD, POST, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
        ("/search", "GET, HEAD, OPTIONS"),
        ("/NMOD_0000001", "GET, HEAD, OPTIONS"),
        ("/NMOD_0000001.ttl", "GET, HEAD, OPTIONS"),
        ("/dataset", "GET, HEAD, OPTIONS"),
        ("/ontology", "GET, HEAD, OPTIONS"),
        ("/context.jsonld", "GET, HEAD, OPTIONS"),
        ("/downloads/", "GET, HEAD, OPTIONS"),
        ("/downloads/all.nt", "GET, HEAD, OPTIONS"),
        ("/health", "GET, HEAD, OPTIONS"),
        ("/metrics", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_and_405_name_the_methods_that_are_answered(
    server: Running, path: str, methods: str
) -> None:
    """And every other method is refused, whatever form is asked for."""
    asked = server.request("OPTIONS", path)
    assert (asked.status, asked.headers["allow"]) == (204, methods)
    assert asked.headers["access-control-allow-methods"] == methods
    for method in ("POST", "PUT", "PATCH", "DELETE", "FOO"):
        if method in methods:
            continue
        for accept in ("text/turtle", "text/html", "application/json"):
            found = server.request(method, path, headers={"Accept": accept})
            assert (found.status, found.headers["allow"]) == (405, methods)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "x"])
def test_a_body_in_a_coding_is_refused(server: Running, coding: str) -> None:
    """415, and what is read: taken as it is, it would be another query, or none."""
    for path in ("/sparql", "/reconcile"):
        found = server.request("POST", path, ASK, DIRECT | {"Content-Encoding": coding})
        assert (found.status, found.headers["accept-encoding"]) == (415, "identity")
    plain = DIRECT | {"Content-Encoding": "identity"}
    assert server.request("POST", "/sparql", ASK, plain).status == 200


def test_what_may_differ_next_time_is_not_cached(server: Running) -> None:
    """NOW, RAND and UUID give no validator."""
    found = server.query("SELECT (NOW() AS ?t) (RAND() AS ?r) {}")
    assert found.headers["cache-control"] == "no-store"
    assert "etag" not in found.headers


# the cases of the W3C test suites, where they are at hand

CASES = ROOT.parent / "shared" / "reference" / "w3c-protocol-cases.json"
OTHERS = ("http-rdf-update", "graph-store-protocol-direct", "graph-store-protocol-indirect")


def w3c_cases() -> list[dict[str, Any]]:
    """All cases of the file; none on a machine without it."""
    return json.loads(CASES.read_text("utf-8")) if CASES.is_file() else []


def fits(status: int, expected: list[str]) -> bool:
    """Whether a status is one of `2xx`, `3xx` ... as the cases write them."""
    return any(str(status)[0] == wanted[0] for wanted in expected)


@pytest.mark.parametrize("case", w3c_cases(), ids=lambda case: f"{case['suite']}:{case['id']}")
def test_the_w3c_protocol_cases_hold(server: Running, case: dict[str, Any]) -> None:
    """Queries as the suite says; this site is read-only, so updates and the graph store refuse."""
    refuses = case["suite"] in OTHERS or case["id"].startswith("update_")
    for request in case["requests"]:
        body = request["body"]
        data = body.encode(request["enc"] or "utf-8") if body is not None else None
        path = request["path"].replace("$LOCATION$", "none")
        found = server.request(request["method"], path, data, dict(request["headers"]))
        if refuses:
            asks = "sparql-query" in str(request["headers"])
            assert 400 <= found.status < 500 or asks
            continue
        assert fits(found.status, request["status"]), found.body
        if request["boolean"] is not None:
            assert found.json()["boolean"] is (request["boolean"] == "true")


def test_the_cases_are_where_the_project_was_made() -> None:
    """Says when the suite's cases could not run, instead of passing in silence."""
    if not CASES.is_file():
        pytest.skip("the W3C cases are not on this machine; our own cases above ran")
    assert len(w3c_cases()) > 30


def test_a_class_of_the_vocabulary_is_found(server: Running) -> None:
    """The prefix table of the release is what queries may use without declaring it."""
    found = server.query("SELECT ?c { NMOD:0000001 a ?c FILTER(true) }")
    assert bindings(found.body)[0]["c"]["value"] == NMO + "Therapy"


def test_the_fixture_is_where_it_should_be(release: Path) -> None:
    """The tests run on a release directory as a build makes it."""
    assert (release / "manifest.json").is_file()
