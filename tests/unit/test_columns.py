"""A join over columns gives what the engine gives for the same query, or leaves it to that."""

import json
import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    QueryResultsFormat,
    QuerySolutions,
    Store,
    Triple,
)

from publisher.engine import columns, joins
from publisher.engine.columns import Columns
from publisher.engine.scan import RDF_TYPE

BASE = "http://example.org/"
XSD = "http://www.w3.org/2001/XMLSchema#"
PREFIXES = {"ex": BASE, "xsd": XSD}
RESOURCES = [NamedNode(BASE + name) for name in "abcdef"] + [BlankNode("n")]
PREDICATES = [NamedNode(BASE + name) for name in "pqrs"] + [RDF_TYPE]


def number(text: str, kind: str) -> Literal:
    return Literal(text, datatype=NamedNode(XSD + kind))


NUMBERS = [
    *(number(text, "integer") for text in ("0", "1", "2", "10", "-3")),
    *(number(text, "decimal") for text in ("1.0", "1.5", "-0.25", "0.1")),
    *(number(text, "double") for text in ("1.0E0", "2.5E0", "-3.0E0", "0.1E0")),
]
TEXTS = [Literal(text) for text in ("", "b", "B", "é", "\U0001f9e0", 'q"\\\n')]
WORDS = [
    *(Literal(text, language="en") for text in ("one", "two", "Two")),
    *(Literal(text, language=tag) for text, tag in (("ein", "de"), ("x", "en-gb"))),
]
DAYS = [
    *(number(text, "gYear") for text in ("2010", "1999", "0001")),
    *(number(text, "date") for text in ("2010-01-01", "2009-12-31")),
    *(number(text, "gYearMonth") for text in ("2010-02", "2009-12")),
]
OTHERS = [
    *(number(text, "integer") for text in ("1_0", "٣", " 1", "1.5", "")),
    *(number(text, "gYear") for text in ("2010Z", "-0044", "12010")),
    *(number(text, "date") for text in ("2010-02-30", "2010-01-01+01:00")),
    number("NaN", "double"),
    number("12345678901234567", "integer"),
    number("0.1", "float"),
    number("1", "boolean"),
    number("2010-01-01T00:00:00", "dateTime"),
]


def held(triples: list[tuple[Any, Any, Any]]) -> tuple[Store, Columns]:
    """A graph, and the same in columns."""
    store = Store()
    for triple in triples:
        store.add(Quad(*triple))
    return store, Columns(store.quads_for_pattern(None, None, None, DefaultGraph()))


def native(store: Store, query: str) -> list[dict[str, Any]]:
    """The engine's rows."""
    found = store.query(query, prefixes=PREFIXES)
    assert isinstance(found, QuerySolutions)
    body = json.loads(found.serialize(format=QueryResultsFormat.JSON) or b"")
    rows: list[dict[str, Any]] = body["results"]["bindings"]
    return rows


def asked(held: Columns, query: str) -> list[dict[str, Any]] | None:
    """The rows out of columns; None where the engine must be asked."""
    known = joins.read(query)
    found = held.answer(known, PREFIXES) if known else None
    if found is None:
        return None
    assert known
    told = json.loads(found[0])
    assert len(told["results"]["bindings"]) == found[1]
    assert told["head"]["vars"] == list(known.variables)
    rows: list[dict[str, Any]] = told["results"]["bindings"]
    return rows


def bag(rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter(json.dumps(row, sort_keys=True) for row in rows)


def key(term: dict[str, str]) -> Any:
    """Terms that no order tells apart have one key."""
    if term.get("datatype", "") in (XSD + "integer", XSD + "decimal", XSD + "double"):
        return float(term["value"])
    return term["value"]


FEW = RESOURCES[:3]
ANY = [*RESOURCES, *NUMBERS, *TEXTS, *WORDS, *DAYS, *OTHERS]
RANGES: tuple[list[Any], ...] = (FEW, NUMBERS, FEW, TEXTS, FEW)  # of each predicate, in the main


def some(seed: int) -> list[tuple[Any, Any, Any]]:
    """Triples of which many go together; every other graph has a few odd ones."""
    chance = random.Random(seed)
    found: list[tuple[Any, Any, Any]] = [
        (chance.choice(FEW), predicate, chance.choice(values))
        for predicate, values in zip(PREDICATES, RANGES, strict=True)
        for _ in range(9)
    ]
    odd = [(chance.choice(FEW), chance.choice(PREDICATES), chance.choice(ANY)) for _ in range(4)]
    return [*found, *odd] if seed % 2 else found


GRAPHS = [held(some(seed)) for seed in range(24)]
VARIABLES = ["?x", "?y", "?z", "$n"]
TESTS = [
    *("{} < 1.5", "{} <= 1.5", "{} > 0", "{} >= 1", "{} = 1", "{} != -3"),
    "{} > 0 && {}<+2.5",
    '{} >= "2010"^^xsd:gYear',
    '{} < "2010-01-01"^^<http://www.w3.org/2001/XMLSchema#date>',
    '{} != "2009-12"^^xsd:gYearMonth && {} != "2010-02"^^xsd:gYearMonth',
    'LANG({}) = "en"',
    'LANGMATCHES(lang({}) , "EN")',
]


@st.composite
def queries(draw: st.DrawFn) -> str:
    """Mostly what the grammar knows, and mostly in one piece."""
    used = ["?x"]

    def variable(*, fresh: bool) -> str:
        found: str = draw(st.sampled_from(VARIABLES if fresh else used))
        used.append(found)
        return found

    def rest() -> str:
        verb = draw(st.sampled_from(["ex:p", "ex:p", "ex:q", f"<{BASE}r>", "ex:s", "a"]))
        given = draw(st.sampled_from([""] * 12 + ["ex:a", "ex:c", '"b"', '"one"@en', "ex:no"]))
        return f"{verb} {given or variable(fresh=True)}"

    text = ""
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.sampled_from([""] * 5 + ["ex:a", f"<{BASE}b>"])) or variable(fresh=False)
        lines = [rest() for _ in range(draw(st.integers(1, 2)))]
        text += f"{begin} {' ; '.join(lines)} "
        test = draw(st.sampled_from([""] * 5 * len(TESTS) + TESTS))
        name = variable(fresh=False)
        text += f"FILTER({test.format(name, name)}) " if test else ". "
    shown = draw(st.just(["*"]) | st.lists(st.sampled_from(used), min_size=1, unique=True))
    keys = draw(st.lists(st.sampled_from(["{}", "DESC({})", "asc( {} )"]), max_size=2))
    order = " ".join(each.format(variable(fresh=False)) for each in keys)
    return (
        draw(
            st.sampled_from(
                ["", "", "prefix o:<http://o.example/> PREFIX ex: <http://example.org/>\n"]
            )
        )
        + f"select {draw(st.sampled_from(['', '', 'DISTINCT ']))}{' '.join(shown)} {{ {text} }}"
        + (f" ORDER BY {order}" if order else "")
        + draw(st.sampled_from(["", "", " LIMIT 3", " limit 0", " LIMIT 2 OFFSET 1", " OFFSET 2"]))
    )


def same(store: Store, query: str, rows: list[dict[str, Any]]) -> None:
    """These are rows that the engine might as well have given."""
    theirs = native(store, query)
    assert len(rows) == len(theirs)
    known = joins.read(query)
    assert known
    if known.limit < 0 and not known.offset:
        assert bag(rows) == bag(theirs)
    else:
        whole = query.rpartition("}")[0] + "}"
        assert bag(rows) <= bag(native(store, whole))
    for name, _ in known.order:
        if name not in known.variables:
            return
    names = [name for name, _ in known.order]
    assert [[key(row[n]) for n in names] for row in rows] == [
        [key(row[n]) for n in names] for row in theirs
    ]


def test_answers_are_the_engines() -> None:
    """Every question that columns answer, the engine answers so, too; and they answer many."""
    seen: Counter[str] = Counter()

    @given(st.sampled_from(GRAPHS), queries())
    @settings(max_examples=2000, deadline=None)
    def compare(graph: tuple[Store, Columns], query: str) -> None:
        store, made = graph
        rows = asked(made, query)
        seen["none" if rows is None else "some" if rows else "empty"] += 1
        if rows is not None:
            same(store, query, rows)

    compare()
    assert min(seen.values()) > 20, seen


def test_what_is_recognised_is_sparql_and_means_the_same() -> None:
    """Of a text that somebody has spoilt, columns answer only what the engine understands so."""
    seen: Counter[bool] = Counter()

    @given(queries(), st.data())
    @settings(max_examples=600, deadline=None)
    def compare(query: str, data: st.DataObject) -> None:
        for _ in range(data.draw(st.integers(1, 2))):
            at = data.draw(st.integers(0, len(query)))
            to = data.draw(st.integers(at, min(len(query), at + 2)))
            query = query[:at] + data.draw(st.sampled_from(MARKS)) + query[to:]
        rows = asked(GRAPH[1], query)
        seen[rows is not None] += 1
        if rows is not None:
            same(GRAPH[0], query, rows)

    compare()
    assert seen[True] > 20


def test_a_graph_may_have_more_tags_than_a_small_number_counts() -> None:
    """Every literal could have a language of its own."""
    tags = [Literal("x", language=f"x-{n}") for n in range(33000)]
    made = held([(RESOURCES[0], PREDICATES[0], tag) for tag in tags])
    assert len(made[1].tags) == 33001


MARKS = ["", " ", "  ", ".", ";", ",", "?", "a", "1", "-", "<", '"', "#", "\n", "\f", "é", "²"]
GRAPH = held(
    [
        (subject, predicate, value)
        for s, subject in enumerate(RESOURCES)
        for p, predicate in enumerate(PREDICATES)
        for o, value in enumerate([*RESOURCES, *NUMBERS, *TEXTS, *WORDS])
        if (s * 7 + p * 5 + o * 3) % 11 < 3
    ]
)
NUMBERED = held(
    [(one, PREDICATES[n // 6 % 2], NUMBERS[n % 13]) for n, one in enumerate(RESOURCES[:-1] * 4)]
    + [(one, PREDICATES[3], DAYS[n % 3]) for n, one in enumerate(RESOURCES)]
    + [(subject, PREDICATES[2], RESOURCES[0]) for subject in RESOURCES[1:-1]]
)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("SELECT * { ?x ex:p ?n FILTER(?n > 0) } ORDER BY DESC(?n)", None),
        ("SELECT ?m WHERE { ?x ex:p ?n ; ex:q ?m . FILTER(?n >= 1 && ?m <= 2.5) } LIMIT 4", None),
        ("PREFIX e: <http://example.org/> SELECT DISTINCT ?x { ?x e:r ex:a . ?x e:p ?n }", None),
        ('SELECT * { ?x ex:s ?d FILTER(?d > "1999"^^xsd:gYear) } ORDER BY DESC(?d)', None),
        (
            'SELECT * { ?x ex:s ?d FILTER(?d >= "1999"^^xsd:gYear && ?d != "2010"^^xsd:gYear) }',
            None,
        ),
        ("SELECT ?x { ?x ex:nothing ?n } ORDER BY ?n", 0),
        ("SELECT ?x ?y { ex:a ex:nothing ex:b . ?x ex:r ?y }", 0),
        ("SELECT ?x ?n { ?x ex:r ex:a , ex:a ; ex:p ?n } ORDER BY ?x ?n OFFSET 2", None),
    ],
)
def test_these_are_answered(query: str, count: int | None) -> None:
    """The commonest forms do not fall through to the engine."""
    rows = asked(NUMBERED[1], query)
    assert rows is not None
    same(NUMBERED[0], query, rows)
    assert rows or count == 0


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { ?x ?p ?y }",
        "SELECT * { ?x ex:p ?x }",
        "SELECT * { ?x ex:p $x }",
        "SELECT * { ?x ex:p/ex:q ?y }",
        "SELECT * { ?x ex:p ?y OPTIONAL { ?x ex:q ?z } }",
        "SELECT ?x { ?x ex:p 1 }",
        "SELECT ?x { ?x ex:p '1' }",
        'SELECT ?x { ?x ex:p "1"^^xsd:integer }',
        "SELECT ?z { ?x ex:p ?y }",
        "SELECT ?x ?x { ?x ex:p ?y }",
        "SELECT ?x { ?x ex:p ?y FILTER(?z > 1) }",
        "SELECT ?x { ?x ex:p ?y FILTER(?y > 1 || ?y < 0) }",
        "SELECT ?x { ?x ex:p ?y FILTER(?y > 1e3) }",
        "SELECT ?x { ?x ex:p ?y FILTER(?y > '2010'^^xsd:gYear) }",
        "SELECT DISTINCT ?x { ?x ex:p ?y } ORDER BY ?y",
        "SELECT ?x ?y { ?x ex:p ?y }",
        "SELECT ?x ?y { ?x ex:p ?y } LIMIT 5 OFFSET 5",
        "SELECT DISTINCT ?y { ?x ex:p ?y }",
        "SELECT ?x { ?x ex:p ?y FILTER(?y = 100.000000000000001) }",
        "SELECT ?x { ?x ex:p ?y FILTER(?y > 1" + " && ?y > 1" * 16 + ") }",
        "SELECT ?x { ?x A ?y }",
        "SELECT ?x { ?x ex:p }",
        "SELECT ?x { }",
        "SELECT * { ex:a ex:p ex:b }",
        "SELECT ?x { ?x ex:-p ?y }",
        "SELECT ?x {\f?x ex:p ?y }",
        "SELECT ?x { [] ex:p ?x }",
        "SELECT ?x FROM <http://example.org/g> { ?x ex:p ?y }",
        "SELECT ?x { ?x ex:p ?y } LIMIT 1 LIMIT 2",
        "SELECT ?x { ?x ex:p ?y } GROUP BY ?x",
        "SELECT ?x { " + " . ".join(f"?x ex:p{n} ?y{n}" for n in range(9)) + " }",
    ],
)
def test_these_are_not_read(query: str) -> None:
    """What the grammar does not know is the engine's."""
    assert joins.read(query) is None


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT * { ?x nobody:p ?y } ORDER BY ?x", "an undeclared prefix is a fault to tell"),
        ("SELECT * { ?x <p> ?y } ORDER BY ?x", "a relative IRI has a base"),
        ("SELECT * { ?x ex:p ?y . ?z ex:q ?n }", "everything with everything"),
        ("SELECT * { ?x ex:p ?y } ORDER BY ?y", "an order of terms of different kinds"),
        ("SELECT * { ?x ex:p ?y FILTER(?y > 0) }", "comparing what is no number"),
        ('SELECT * { ?x ex:p ?y FILTER(?y > "2010"^^no:gYear) }', "a prefix nobody declared"),
        ('SELECT * { ?x ex:p ?y FILTER(?y > "2010"^^xsd:) }', "of no kind that we know"),
        ('SELECT * { ?x ex:p ?y FILTER(?y > "2010-99"^^xsd:gYearMonth) }', "no month"),
        ('SELECT * { ?x ex:p ?y FILTER(?y > "2010"^^xsd:integer) }', "numbers of another kind"),
        ('SELECT * { ?x ex:p "x"@EN ; ex:q ?y }', "tags that may be written in another way"),
        ('SELECT * { ?x ex:p "x"@a ; ex:q ?y }', "what is no tag"),
        ('SELECT * { ?x ex:p "x"@abcdefghijk ; ex:q ?y }', "what is no tag"),
    ],
)
def test_these_are_left_to_the_engine(query: str, why: str) -> None:
    """Questions that the grammar knows, but whose answer depends on the engine's ways."""
    assert joins.read(query) is not None
    assert asked(GRAPH[1], query) is None, why


@pytest.mark.parametrize(
    ("bound", "text"),
    [
        ("MOST_MATCHES", ""),
        ("MOST_MATCHES", " LIMIT 1"),
        ("MOST_VALUES", ""),
        ("MOST_BYTES", ""),
        ("MOST_WORK", " LIMIT 1"),
        ("MOST_TEXTS", " ORDER BY ?x LIMIT 1"),
    ],
)
def test_work_is_counted_before_it_is_done(
    monkeypatch: pytest.MonkeyPatch, bound: str, text: str
) -> None:
    """What would take too many matches is left to the engine; a limit makes no match fewer."""
    query = "SELECT ?x ?y { ?x ex:r ex:a . ?x ex:p ?y . ?x ex:q ?z }" + text
    assert asked(NUMBERED[1], query) is not None
    monkeypatch.setattr(columns, bound, 2)
    assert asked(NUMBERED[1], query) is None


def test_an_offset_does_not_change_who_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last, shorter page comes from where the others came from."""
    query = "SELECT ?x ?n { ?x ex:p ?n } ORDER BY ?n LIMIT 4 OFFSET "
    monkeypatch.setattr(columns, "MOST_VALUES", 7)
    assert [asked(NUMBERED[1], f"{query}{start}") for start in (0, 4, 8, 11)] == [None] * 4


def test_pages_of_an_answer_fit_together() -> None:
    """Whatever the limit, all pages come from one order, so none is missed and none comes twice."""
    query = "SELECT ?x ?n { ?x ex:p ?n ; ex:r ?y }"
    whole = asked(NUMBERED[1], query)
    assert whole is not None
    assert len(whole) > 4
    for size in (1, 2, 3):
        pages = [
            asked(NUMBERED[1], f"{query} LIMIT {size} OFFSET {start}") or []
            for start in range(0, len(whole), size)
        ]
        assert [row for page in pages for row in page] == whole


def test_a_key_that_is_named_again_costs_nothing() -> None:
    """Nor does it decide anything, even in the other direction."""
    found = joins.read("SELECT ?x { ?x ex:p ?y } ORDER BY ?y ?x DESC(?y)" + " ?x ?y" * 200)
    assert found
    assert found.order == (("y", False), ("x", False))


@pytest.mark.parametrize("order", ["", " ORDER BY ?x", " ORDER BY ?n ?x"])
def test_a_pattern_without_variables_that_does_not_hold_leaves_nothing(order: str) -> None:
    """Wherever it stands among the others."""
    for patterns in (
        ["ex:f ex:r ex:a", "ex:f ex:r ex:nobody", "?x ex:r ex:a", "?x ex:p ?n"],
        ["?x ex:r ex:a", "?x ex:p ?n", "ex:b ex:q ex:b"],
        ["ex:b ex:r ?x", "?x ex:p ?n", "ex:b ex:q ex:b"],
    ):
        query = "SELECT ?x ?n { " + " . ".join(patterns) + " }"
        assert asked(NUMBERED[1], query.replace(" }", f" }}{order}")) == []


def test_long_terms_are_not_kept() -> None:
    """What is kept for the next question is bounded by number and by length."""
    long = Literal("x" * (columns.WIDE + 1))
    one, other = RESOURCES[:2]
    _, made = held([(one, PREDICATES[0], long), (other, PREDICATES[1], Literal("y"))])
    for predicate, kept in (("ex:p", 0), ("ex:q", 2)):
        before = made._told.cache_info().currsize
        assert asked(made, f"SELECT ?x ?y {{ ?x {predicate} ?y }} ORDER BY ?x")
        assert made._told.cache_info().currsize == before + kept


def test_equals_keep_their_places_both_ways() -> None:
    """Rows of one value stand in the same order, ascending and descending."""
    up = asked(NUMBERED[1], "SELECT ?x ?n { ?x ex:p ?n } ORDER BY ?n")
    down = asked(NUMBERED[1], "SELECT ?x ?n { ?x ex:p ?n } ORDER BY DESC(?n)")
    assert up
    assert down
    for rows, sign in ((up, 1), (down, -1)):
        assert all(sign * key(a["n"]) <= sign * key(b["n"]) for a, b in pairwise(rows))
    equal = key(up[0]["n"])
    assert [r for r in up if key(r["n"]) == equal] == [r for r in down if key(r["n"]) == equal]


def test_terms_that_are_written_otherwise_are_the_engines() -> None:
    """A triple as an object: its predicate is never answered here; others are."""
    quoted = Triple(RESOURCES[0], PREDICATES[0], RESOURCES[1])
    one, other = RESOURCES[:2]
    _, made = held([(one, PREDICATES[0], quoted), (one, PREDICATES[1], other)])
    assert asked(made, "SELECT * { ?x ex:p ?y . ?x ex:q ?z }") is None
    assert asked(made, "SELECT * { ?x ex:q ?y } ORDER BY ?y") is not None
