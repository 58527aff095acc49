"""What a query's text says before any parser sees it."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.engine import outline, simple

SERVICES = [
    "SELECT * { SERVICE <http://a/> {} }",
    "select*{service<http://a/>{}}",
    "SELECT * { SERVICE SILENT <http://a/> {} }",
    "SELECT * { # comment\n SERVICE # another\n <http://a/> {} }",
    "SELECT * { SERV\\u0049CE <http://a/> {} }",
    "SELECT * { ?s ?p true.SERVICE <http://a/> {} }",
    "SELECT * { ?s ?p 1.SERVICE <http://a/> {} }",
    "SELECT * { ?s ?p ?o.SERVICE <http://a/> {} }",
    'SELECT * { ?s ?p "x"@en.SERVICE <http://a/> {} }',
    'SELECT * { ?s ?p """a"b""c\\"""" SERVICE <http://a/> {} }',
    "SELECT * { ?s ?p '''it''s''' SERVICE <http://a/> {} }",
    "SELECT * { FILTER(?a<?b) SERVICE <http://a/> {} FILTER(?a>?b) }",
    'SELECT * { ?s ?p "\\"" SERVICE <http://a/> {} }',
]
NO_SERVICES = [
    'SELECT * { ?s ?p "SERVICE <http://a/>" }',
    "SELECT * { ?service ex:SERVICE ?o } # SERVICE <http://a/>",
    "PREFIX service: <http://SERVICE/> SELECT * { ?s service:SERVICE ?o }",
    "SELECT * { ?s ex:a\\.SERVICE ?o }",
    "SELECT * { ?s ?p '''SERVICE\n<http://a/>''' }",
]


@pytest.mark.parametrize("query", SERVICES)
def test_service_is_seen_however_it_is_written(query: str) -> None:
    """SERVICE is found behind comments, escapes, punctuation and texts."""
    assert outline.read(query).services == ("<http://a/>",)


@pytest.mark.parametrize("query", NO_SERVICES)
def test_service_is_not_seen_where_it_is_only_a_word(query: str) -> None:
    """The word inside a text, a name, a variable or a comment is no SERVICE."""
    assert not outline.read(query).services


@pytest.mark.parametrize(
    ("query", "form", "update"),
    [
        ("PREFIX a: <b> ASK {}", "ASK", ""),
        ("BASE <b> describe <a>", "DESCRIBE", ""),
        ("PREFIX select: <b> CONSTRUCT WHERE { ?s ?p select: }", "CONSTRUCT", ""),
        ("INSERT DATA { <a> <b> <c> }", "", "INSERT"),
        ("PREFIX a: <b> WITH <a> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", "", "WITH"),
        ("LOAD <file:///etc/passwd>", "", "LOAD"),
        ("", "", ""),
        ("nonsense", "", ""),
    ],
)
def test_form_and_update_are_told_apart(query: str, form: str, update: str) -> None:
    """The first keyword after the prologue decides."""
    found = outline.read(query)
    assert (found.form, found.update) == (form, update)


@pytest.mark.parametrize(
    ("query", "lost"),
    [
        ("SELECT * { GRAPH ?g { SELECT ?s { ?s ?p ?o } } }", "g"),
        ("SELECT * { GRAPH $g { { SELECT DISTINCT ?s WHERE { ?s ?p ?o } } } }", "g"),
        ("SELECT * { GRAPH ?g { SELECT * { ?s ?p ?o } } }", "g"),
        ("SELECT * { GRAPH ?g { SELECT ?s ?g { ?s ?p ?o } } }", ""),
        ("SELECT * { GRAPH <g> { SELECT ?s { ?s ?p ?o } } }", ""),
        ("SELECT * { GRAPH ?g { ?s ?p ?o } { SELECT ?s { ?s ?p ?o } } }", ""),
        ("SELECT * { { SELECT ?s { GRAPH ?g { ?s ?p ?o } } } }", ""),
    ],
)
def test_a_variable_that_the_engine_would_lose_is_seen(query: str, lost: str) -> None:
    """pyoxigraph drops ?g of GRAPH ?g { SELECT ... } unless the sub-query selects it."""
    assert outline.read(query).lost_variable == lost


@pytest.mark.parametrize(
    "unit",
    [
        "a.",
        '"',
        '"""a',
        "<",
        "<a",
        "a ",
        "\\",
        "(",
        "a",
        ":",
        "'''",
        "\\u0041",
        "a-",
        "@a-",
        "#",
        "1.",
        "1e",
        "a:%.",
        '"a\n',
        '""a',
        "{GRAPH ?g",
        "SELECT ?a ",
        "_:",
        "?",
        "\x00",
        "é.",
        "<<(",
    ],
)
def test_no_text_takes_long_to_outline(unit: str) -> None:
    """100 kB of anything is read in one pass: a second is a generous bound for it."""
    began = time.monotonic()
    outline.read(unit * (100_000 // len(unit)))
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?o { <http://a/> ?p ?o }",
        "PREFIX ex: <http://a/> SELECT * WHERE { ex:b ex:c ?o . }",
        "SELECT ?s { ?s a ?o } LIMIT 10",
        'SELECT ?s { ?s skos:prefLabel "x"@en } LIMIT 1',
        "ASK { ?s ?p ?o }",
        "DESCRIBE <http://a/>",
    ],
)
def test_bounded_lookups_are_recognised(query: str) -> None:
    """One pattern with a given subject, or a small limit."""
    assert simple.read(query) is not None


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?s { ?s ?p ?o }",
        "SELECT ?s { ?s ?p ?o } LIMIT 100000",
        "SELECT DISTINCT ?p { ?s ?p ?o } LIMIT 10",
        "SELECT ?s { ?s ?p ?s } LIMIT 1",
        "SELECT ?s { <http://a/> ?p ?o . ?s ?q ?o }",
        "SELECT ?s { <http://a/> (<b>|<c>)* ?o }",
        "SELECT ?s { <http://a/> ?p ?o FILTER(?o > 1) }",
        "SELECT ?s { <http://a/> ?p ?o } ORDER BY ?o",
        "SELECT ?s { ?s ?p ?o } LIMIT 10 OFFSET 99999999",
        "SELECT ?s FROM <http://g> { <http://a/> ?p ?o }",
        "SELECT (COUNT(*) AS ?n) { <http://a/> ?p ?o }",
        "DESCRIBE ?s { ?s ?p ?o }",
        "DESCRIBE <http://a/> <http://b/>",
        "SELECT ?s { GRAPH ?g { <http://a/> ?p ?o } }",
        "ASK { ?s ?p ?o } # and more",
        "SELECT ?o { <http://a/> ?p ?o }" + " " * 3000,
    ],
)
def test_anything_more_is_not_called_bounded(query: str) -> None:
    """Whatever could be more than one short index scan goes to a worker."""
    assert simple.read(query) is None


TEXT = (
    "SELECT ASK PREFIX BASE CONSTRUCT DESCRIBE WHERE { } ( ) ?x <http://a/> from NAMED graph ?g"
    r" service SILENT INSERT DELETE now() rand() uuid # \u0046ROM ex: ex:now 'x' . ;"
)
WORDS = st.sampled_from(TEXT.split())


@given(st.lists(WORDS, max_size=14).map(" ".join))
def test_a_short_look_sees_what_a_long_one_sees(query: str) -> None:
    """Where the first words decide, nothing that matters was passed over."""
    if outline.form(query):
        short, long = outline.read(query), outline._read(query)
        assert replace(short, words=frozenset()) == replace(long, words=frozenset())
        assert short.volatile == long.volatile


@pytest.mark.parametrize(
    ("query", "iri"),
    [
        ("SELECT * FROM <http://x/g> {}", "http://x/g"),
        ("SELECT * FROM <g/1> {}", "http://base/g/1"),
        ("BASE <http://other/> SELECT * FROM <g> {}", "http://other/g"),
        ("BASE <http://other/> PREFIX a: <b#> BASE <c/> SELECT * FROM a:g {}", "http://other/b#g"),
        ("BASE <http://other/> BASE <c/> SELECT * FROM <g> {}", "http://other/c/g"),
        ("PREFIX : <http://x/> SELECT * FROM :g {}", "http://x/g"),
        ("PREFIX ours: <http://x/> SELECT * FROM ours:g {}", "http://x/g"),
        ("prefix a: <http://x/>prefix a: <http://y/> SELECT * FROM a:g {}", "http://y/g"),
        (r"PREFIX a: <http://x/> SELECT * FROM a:g\,h%20 {}", "http://x/g,h%20"),
        ("SELECT * FROM ours:g-1.2 {}", "http://ours/g-1.2"),
        ("SELECT * FROM nobodys:g {}", None),
    ],
)
def test_the_name_of_a_graph_means_what_the_prologue_says(query: str, iri: str | None) -> None:
    """However it is written, or it would be passed over for not being a whole IRI."""
    found = outline.read(query)
    (source,) = found.default_sources
    assert found.meant(source, "http://base/sparql", {"ours": "http://ours/"}) == iri


def test_what_is_remembered_is_bounded() -> None:
    """Any number of queries leave a bounded number of outlines, and long ones none."""
    kept = outline._remembered
    kept.cache_clear()
    for number in range(3 * kept.cache_parameters()["maxsize"]):
        assert outline.read(f"SELECT * FROM <urn:{number}> {{}}").default_sources
    full = kept.cache_info().currsize
    assert full <= kept.cache_parameters()["maxsize"]
    kept.cache_clear()
    long = "SELECT * FROM <urn:a> {} #" + "x" * outline.SHORT
    assert outline.read(long).default_sources == ("<urn:a>",)
    assert kept.cache_info().currsize == 0
