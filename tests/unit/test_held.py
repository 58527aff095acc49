"""Which part of a release a query needs, and which subjects are too large to be read at once."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store

from publisher.engine import held
from publisher.engine.embedded import Embedded
from publisher.engine.question import Budget, Question

BASE = "http://example.org/"
SAID = NamedNode(BASE + "said")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a hub, a small subject, and a named graph."""
    folder = tmp_path_factory.mktemp("release")
    (folder / "prefixes.json").write_text(json.dumps({"ex": BASE}))
    (folder / "context.jsonld").write_text('{"@context": {}}')
    store = Store(str(folder / "store"))
    hub = NamedNode(BASE + "hub")
    store.bulk_extend(Quad(hub, SAID, Literal(str(n))) for n in range(held.MANY + 1))
    store.add(Quad(NamedNode(BASE + "small"), SAID, Literal("one")))
    store.add(Quad(NamedNode(BASE + "small"), SAID, Literal("one"), NamedNode(BASE + "g")))
    store.add(Quad(NamedNode(BASE + "bulky"), SAID, Literal("x" * (held.MUCH + 1))))
    for n in range(30):
        text = Literal(f"{n}" * 100_000)
        store.add(Quad(NamedNode(f"{BASE}text/{n}"), NamedNode(BASE + "text"), text))
    store.flush()
    del store
    return folder


@pytest.mark.parametrize("opening", [held.open_store, held.load_store])
def test_a_hub_is_known(release: Path, opening: Callable[[Path], held.Held]) -> None:
    """In memory as on disk."""
    found = opening(release)
    assert found.is_hub(BASE + "hub")
    assert found.is_hub(BASE + "bulky")
    assert not found.is_hub(BASE + "small")
    assert not found.is_hub("nothing at all")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?o { ex:hub ?p ?o }",
        "PREFIX x: <http://example.org/> SELECT ?o { x:hub ?p ?o }",
        "DESCRIBE <http://example.org/hub>",
    ],
)
def test_a_hub_is_not_read_in_the_serving_process(release: Path, query: str) -> None:
    """Everybody else would wait."""
    engine = Embedded(release)
    assert engine.answer_here(Question(query, "json"), Budget()) is None
    small = query.replace("hub", "small")
    form = "ntriples" if "DESCRIBE" in query else "json"
    assert b"one" in (engine.answer_here(Question(small, form), Budget()) or b"")


@pytest.mark.parametrize(
    ("query", "whole"),
    [
        ("SELECT * { ?s ?p ?o }", False),
        ("SELECT * { graph ?g { ?s ?p ?o } }", True),
        ("SELECT * FROM <http://example.org/g> { ?s ?p ?o }", True),
        (r"SELECT * { GR\u0041PH ?g { ?s ?p ?o } }", True),
    ],
)
def test_only_a_query_that_names_graphs_needs_them(release: Path, query: str, whole: bool) -> None:
    """However it spells their names; the others search half as many triples."""
    found = held.load_store(release)
    assert found.needed(query) is (found.whole if whole else found.union)
    assert len(found.union) == sum(1 for q in found.whole if q.graph_name == DefaultGraph())


@pytest.mark.parametrize("form", ["json", "csv", "tsv", "xml"])
@pytest.mark.parametrize("opening", [held.open_store, held.load_store])
def test_long_texts_are_not_written_in_the_serving_process(
    release: Path, form: str, opening: Callable[[Path], held.Held]
) -> None:
    """Few rows, too, may be too much to make while everybody else waits."""
    engine = Embedded(release)
    engine.held = opening(release)
    query = "SELECT ?s ?o { ?s ex:text ?o } LIMIT "
    assert engine.answer_here(Question(f"{query}30", form), Budget()) is None
    assert engine.answer_here(Question(f"{query}2", form), Budget()) is not None
    join = "SELECT ?s ?o { ?s ex:text ?o } ORDER BY ?s LIMIT "
    assert engine.answer_here(Question(f"{join}30", form), Budget()) is None
