"""Every link to another vocabulary, against a copy of that vocabulary.

The copies are other projects' data and not part of this one. Point NEUROMODKG_TERMS at a folder
of tables (tab-separated, gzipped or not, with the columns id, label and obsolete), or put it at
`../shared/reference/terms` beside the checkout; without one, the tests that need it are skipped.
"""

import os
import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from publisher import mappings
from publisher.check import links
from publisher.check.links import Link, Term
from tests.conftest import ROOT

FOLDER = Path(os.environ.get("NEUROMODKG_TERMS") or ROOT.parent / "shared" / "reference" / "terms")
TABLES = [
    mappings.parse(
        path.read_text("utf-8"), file=str(path.relative_to(ROOT)), name=path.name.split(".")[0]
    )
    for path in sorted((ROOT / "data/mappings").glob("*.sssom.tsv"))
]
# WHO does not let its labels be carried, so that only the codes stand here.
UNCHECKED = {"icd11.foundation", "ICD10WHO"}


def device_codes() -> list[Link]:
    """The FDA product codes in data/devices, of which only the code is written."""
    found = []
    for path in sorted((ROOT / "data/devices").glob("*.ttl")):
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
            code = re.match(r' +nmo:productCode "([A-Z]{3})"', line)
            if code:
                found.append(Link(f"FDAPC:{code[1]}", None, f"data/devices/{path.name}", number))
    return found


@pytest.fixture(scope="module")
def terms() -> Mapping[str, Term]:
    """The copies, or a reason to skip."""
    if not FOLDER.is_dir():
        pytest.skip(f"no copies of the vocabularies at {FOLDER}; set NEUROMODKG_TERMS to a folder")
    return links.read_terms(FOLDER)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_mapping_names_a_living_term_by_its_label(
    table: mappings.MappingSet, terms: Mapping[str, Term]
) -> None:
    """The object exists, has the label that is written, and is not obsolete."""
    assert [str(finding) for finding in links.judge(links.of_table(table), terms)] == []


def test_every_product_code_of_a_device_exists(terms: Mapping[str, Term]) -> None:
    """A code is in the copy, or is newer and has a page of its own among the sources."""
    codes = device_codes()
    assert len(codes) > 40
    newer = {
        f"FDAPC:{path.stem[4:].upper()}" for path in (ROOT / "data/sources").glob("fda-???.ttl")
    }
    found = [finding for finding in links.judge(codes, terms) if finding.focus not in newer]
    assert [str(finding) for finding in found] == []


def test_only_labels_that_may_not_be_carried_go_unchecked(terms: Mapping[str, Term]) -> None:
    """A vocabulary without a copy would make the other tests say nothing."""
    used = {link.identifier.partition(":")[0] for t in TABLES for link in links.of_table(t)}
    assert used - links.prefixes(terms) == UNCHECKED


def test_a_wrong_identifier_with_a_right_looking_label_is_found(
    terms: Mapping[str, Term],
) -> None:
    """MAXO:0009038 exists, and is the insertion of a coronary stent."""
    planted = Link("MAXO:0009038", "spinal cord stimulation", "planted.sssom.tsv", 7)
    [finding] = links.judge([planted], terms)
    assert (finding.file, finding.line, finding.focus) == ("planted.sssom.tsv", 7, "MAXO:0009038")
    assert "coronary stent insertion" in finding.message
    assert "MAXO:0000945" in finding.fix


def test_each_kind_of_fault_is_found_without_a_copy_at_hand(tmp_path: Path) -> None:
    """Missing, obsolete and mislabelled, in a table made for the purpose."""
    rows = ["id\tlabel\tobsolete", "X:1\tright\tfalse", "X:2\told\ttrue", "X:3\tother\tfalse"]
    (tmp_path / "x.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    (tmp_path / "SOURCES.tsv").write_text("key\trepo\nx\tnowhere\n", "utf-8")
    table = links.read_terms(tmp_path)
    written = [("X:1", "right"), ("X:2", "old"), ("X:3", "right"), ("X:4", "right"), ("Y:1", "")]
    found = links.judge([Link(name, label, "f", 1) for name, label in written], table)
    assert [finding.message for finding in found] == [
        'X:2 is obsolete ("old")',
        'X:3 is "other", not "right"',
        "X:4 does not exist",
    ]


def test_labels_stand_except_where_a_licence_forbids_it() -> None:
    """No WHO label leaks in, and no other row goes without the label that it is checked by."""
    for table in TABLES:
        for link in links.of_table(table):
            forbidden = link.identifier.partition(":")[0] in UNCHECKED
            assert bool(link.label) != forbidden, f"{link.file}:{link.line}"


def test_no_pair_is_mapped_twice() -> None:
    """One subject and one object have one predicate, or are refused one."""
    pairs = Counter(
        (row.values["subject_id"], link.identifier)
        for table in TABLES
        for row, link in zip(_with_object(table), links.of_table(table), strict=True)
    )
    assert [pair for pair, times in pairs.items() if times > 1] == []


def _with_object(table: mappings.MappingSet) -> list[mappings.Row]:
    return [row for row in table.rows if row.values["object_id"] != mappings.NO_TERM]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_exact_matches_are_one_to_one(table: mappings.MappingSet) -> None:
    """Two concepts with one exact match would be the same concept, or one of them is not exact."""
    exact = [
        row
        for row in _with_object(table)
        if row.values["predicate_id"] == "skos:exactMatch" and not row.negative
    ]
    for column in ("subject_id", "object_id"):
        names = sorted(row.values[column] for row in exact)
        assert [name for name, after in pairwise(names) if name == after] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_says_where_it_comes_from(table: mappings.MappingSet) -> None:
    """Licence, subject and object, and the edition of the object that was read."""
    wanted = "mapping_set_id mapping_set_title license subject_source object_source comment"
    assert set(wanted.split()) <= set(table.header)
    assert table.header["mapping_set_id"].endswith("/mapping/" + table.name)
    assert re.search(r" at [0-9a-f]{40} \(\d{4}-\d\d-\d\d\)", table.header["object_source_version"])


def test_subject_labels_are_those_of_the_graph() -> None:
    """A concept that was renamed is renamed in its mappings as well."""
    names: dict[str, str] = {}
    for path in (ROOT / "data").glob("*/[0-9]*.ttl"):
        text = path.read_text("utf-8")
        label = re.search(r'skos:prefLabel "([^"]+)"@en', text)
        assert label, path
        names["NMOD:" + path.name[:7]] = label[1]
    wrong = [
        f"{table.file}:{row.line} {row.values['subject_label']}"
        for table in TABLES
        for row in table.rows
        if row.values["subject_id"].startswith("NMOD:")
        and names.get(row.values["subject_id"]) != row.values["subject_label"]
    ]
    assert wrong == []


def test_known_traps_are_refused() -> None:
    """Matches that others made by mistake stay refused."""
    refused = {
        (row.values["subject_id"], row.values["object_id"])
        for table in TABLES
        for row in table.rows
        if row.negative
    }
    assert len(refused) >= 40
    assert {"MAXO:0009038", "NCIT:C2982", "FDAPC:GZF", "FDAPC:GZE", "FDAPC:GZB", "FDAPC:LGW"} <= {
        named for _, named in refused
    }
