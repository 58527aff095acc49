"""Prefixes, CURIEs, paths, slugs, numbers."""

import pytest

from publisher.errors import GraphSettings
from publisher.names import Names, Prefixes, natural, parse_prefixes

TABLE = Prefixes((("ex", "http://ex/"), ("num", "http://ex/N_"), ("cat", "http://ex/cat/")))


@pytest.mark.parametrize(
    ("iri", "curie"),
    [
        ("http://ex/cat/Tom", "cat:Tom"),
        ("http://ex/N_0001", "num:0001"),
        ("http://ex/a.b-c", "ex:a.b-c"),
        ("http://ex/ends.", None),
        ("http://ex/a/b", None),
        ("http://ex/", None),
        ("http://other/", None),
    ],
)
def test_the_longest_namespace_wins_and_nothing_needs_an_escape(
    iri: str, curie: str | None
) -> None:
    """A CURIE can be pasted into Turtle and SPARQL as it is."""
    assert TABLE.compact(iri) == curie
    assert curie is None or TABLE.expand(curie) == iri


@pytest.mark.parametrize("text", ["ex http://ex/", "ex\tnot an iri", "1x\thttp://ex/", "ex\t"])
def test_a_broken_prefix_table_names_the_line(text: str) -> None:
    """Line 2, because the first one is good."""
    with pytest.raises(GraphSettings) as caught:
        parse_prefixes(f"ok\thttp://ok/\n{text}\n", file="prefixes.tsv")
    assert caught.value.where == "prefixes.tsv:2"


def test_a_prefix_stands_once() -> None:
    """Two meanings would depend on the order."""
    with pytest.raises(GraphSettings, match="twice"):
        parse_prefixes("a\thttp://a/\na\thttp://b/\n", file="p")


@pytest.mark.parametrize(
    "local", ["NMOD_0000001", "source/doi-10.1111-ner.12208", "a%20b", "ü", "x y"]
)
def test_paths_lead_back_to_their_iris(local: str) -> None:
    """Encoded once on the way out, decoded once on the way in."""
    site = Names("https://w3id.org/neuromod/", TABLE)
    path = site.path(site.base + local)
    assert path is not None
    assert path.isascii()
    assert " " not in path
    assert site.iri(path) == site.base + local


def test_foreign_iris_have_no_path() -> None:
    """A page must not offer them as its own."""
    assert Names("https://w3id.org/neuromod/", TABLE).path("https://w3id.org/other/x") is None


def test_numbers_sort_as_people_count() -> None:
    """And texts that count alike keep one order."""
    assert sorted(["a10", "a9", "b1", "a09"], key=natural) == ["a09", "a9", "a10", "b1"]
