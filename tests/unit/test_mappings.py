"""Mapping tables: read, written, and said as triples."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from publisher import mappings
from publisher.errors import MappingSyntax
from publisher.names import Prefixes
from tests.conftest import ROOT

HEAD = "# mapping_set_id: http://m/set\n# curie_map:\n#   a: http://a/\n#   b: http://b/\n"
COLUMNS = (
    "subject_id\tpredicate_id\tpredicate_modifier\tobject_id\tmapping_justification\tconfidence\n"
)
PREFIXES = Prefixes(
    (("skos", "http://www.w3.org/2004/02/skos/core#"), ("semapv", "https://w3id.org/semapv/vocab/"))
)


def read(rows: str, head: str = HEAD, columns: str = COLUMNS) -> mappings.MappingSet:
    return mappings.parse(head + columns + rows, file="m.sssom.tsv", name="m")


def said(rows: str) -> set[str]:
    located = mappings.quads(read(rows), namespace="http://map/", prefixes=PREFIXES)
    return {str(item.triple) for item in located}


ROW = "a:1\tskos:exactMatch\t\tb:1\tsemapv:ManualMappingCuration\t0.9\n"
NOT = "a:1\tskos:exactMatch\tNot\tb:2\tsemapv:ManualMappingCuration\t\n"
NONE = "a:2\tskos:exactMatch\t\tsssom:NoTermFound\tsemapv:ManualMappingCuration\t\n"
LINK = "<http://a/1> <http://www.w3.org/2004/02/skos/core#exactMatch> <http://b/{}>"


def test_a_positive_row_is_the_link_and_a_node() -> None:
    """The link for queries, the node for who says so and how sure."""
    found = said(ROW)
    assert LINK.format(1) in found
    assert any('confidence> "0.9"^^<http://www.w3.org/2001/XMLSchema#decimal>' in t for t in found)
    assert any("annotatedTarget> <http://b/1>" in t for t in found)


def test_a_negative_row_is_never_a_link() -> None:
    """Otherwise a rejected candidate would become a match."""
    found = said(NOT)
    assert LINK.format(2) not in found
    assert any('predicate_modifier> "Not"' in t for t in found)


def test_no_term_found_is_never_a_link() -> None:
    """It says that somebody looked."""
    prefixes = Prefixes((*PREFIXES.pairs, ("sssom", "https://w3id.org/sssom/")))
    located = mappings.quads(read(NONE), namespace="http://map/", prefixes=prefixes)
    assert not any(str(i.triple).startswith("<http://a/2>") for i in located)


def test_a_mapping_keeps_its_name_when_rows_are_added() -> None:
    """Its IRI comes from what it maps, not from its place."""
    alone = {t for t in said(ROW) if "annotatedTarget> <http://b/1>" in t}
    assert alone <= said(NOT + ROW)


def test_the_line_of_a_row_is_the_line_of_its_triples() -> None:
    """So that a finding leads to it."""
    located = mappings.quads(read(NOT + ROW), namespace="http://map/", prefixes=PREFIXES)
    assert next(i.line for i in located if "exactMatch> <http://b/1>" in str(i.triple)) == 7


def test_writing_sorts_and_is_idempotent() -> None:
    """One form, so that diffs are one line per mapping."""
    text = mappings.write(read("a:10" + ROW[3:] + NOT + ROW))
    assert mappings.write(mappings.parse(text, file="m", name="m")) == text
    assert [line.split("\t")[0] for line in text.splitlines()[5:]] == ["a:1", "a:1", "a:10"]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("no tab here\n", 1, "no column"),
        ("# not a header line\n", 1, "not a header"),
        (HEAD + COLUMNS + "a:1\tskos:exactMatch\n", 6, "has no object_id"),
        (HEAD + COLUMNS + ROW.replace("\t\t", "\tnot\t"), 6, "predicate_modifier"),
        (HEAD + COLUMNS + ROW[:-1] + "\tmore\n", 6, "7 cells"),
        (HEAD + COLUMNS.replace("confidence", "object_id") + ROW, 5, "twice"),
        (HEAD, 5, "no row of column names"),
    ],
)
def test_a_broken_table_names_the_line(text: str, line: int, what: str) -> None:
    """File and line, as everywhere."""
    with pytest.raises(MappingSyntax, match=what) as caught:
        mappings.parse(text, file="m.sssom.tsv", name="m")
    assert caught.value.line == line


def test_an_unexplained_prefix_names_the_line() -> None:
    """It would become an IRI that nobody has."""
    with pytest.raises(MappingSyntax, match="prefix") as caught:
        said("zz" + ROW[1:])
    assert caught.value.line == 6


def as_yaml(text: str) -> dict[str, object]:
    """The header as every other program reads it."""
    lines = text.splitlines()
    found: dict[str, object] = yaml.safe_load(
        "\n".join(line[2:] for line in lines if line.startswith("# "))
    )
    return found


@pytest.mark.parametrize(
    "value",
    [
        "What follows: a colon",
        "ends with a colon:",
        "a # is a comment",
        "2026-11-22",
        "1.0",
        "No",
        "- not a list",
        '"quoted" and \\ "again"',
        "it's",
        "'tis 'so'",
        "https://example.org/a#b?c=d:e",
        "`code` first",
    ],
)
def test_the_header_is_yaml_for_others(value: str) -> None:
    """Whatever a text holds, others read that text, and we read it again."""
    text = mappings.write(replace(read(ROW), header={"comment": value}))
    assert as_yaml(text) == {"comment": value, "curie_map": {"a": "http://a/", "b": "http://b/"}}
    assert mappings.parse(text, file="m", name="m").header == {"comment": value}


def test_single_quotes_are_read_as_in_yaml() -> None:
    """The other way to write a text in quotes."""
    assert read(ROW, HEAD.replace("http://m/set", "'it''s: a set'")).header == {
        "mapping_set_id": "it's: a set"
    }


def test_quotes_that_do_not_close_name_the_line() -> None:
    """YAML would not read them either."""
    with pytest.raises(MappingSyntax, match="do not close") as caught:
        read(ROW, HEAD.replace("http://m/set", '"a" set'))
    assert caught.value.line == 1


@pytest.mark.parametrize("file", sorted(ROOT.glob("data/mappings/*.tsv")), ids=lambda f: f.name)
def test_the_tables_of_the_graph_are_yaml_for_others(file: Path) -> None:
    """The files that others fetch say to them what they say to us."""
    text = file.read_text("utf-8")
    found = as_yaml(text)
    curies = found.pop("curie_map")
    table = mappings.parse(text, file=file.name, name="m")
    assert found == table.header
    assert curies == dict(table.curies.pairs)
