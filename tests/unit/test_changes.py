"""What releases say of themselves and of those before them."""

import json
from pathlib import Path

import pytest

from publisher import build, changes, corpus, release
from publisher.check.finding import Report
from publisher.cli import main
from publisher.errors import ReleaseDamaged
from publisher.release import Release

LIGHTS = "http://example.org/lights/"


def made(root: Path, version: str, releases: Path, previous: Release | None = None) -> Path:
    """A release of a copy, under another name."""
    header = root / "ontology/header.ttl"
    text = header.read_text()
    old = text.partition('owl:versionInfo "')[2].partition('"')[0]
    header.write_text(text.replace(old, version))
    return build.build(corpus.read(root), Report(()), releases, previous=previous)


def edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / "data" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def retire(root: Path) -> None:
    """Sand Bank is retired in favour of Grey Point, which gets another definition."""
    edit(root, "lights/0001-grey-point.ttl", "A round tower", "A square tower")
    edit(
        root,
        "lights/0002-sand-bank.ttl",
        "@prefix LGT",
        "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n"
        "@prefix dcterms: <http://purl.org/dc/terms/> .\n@prefix LGT",
    )
    edit(
        root,
        "lights/0002-sand-bank.ttl",
        "    a lv:Lightship ;",
        "    a lv:Lightship ;\n    owl:deprecated true ;\n    dcterms:isReplacedBy LGT:0001 ;",
    )
    (root / "data/sources/harbour-tale.ttl").unlink()


def test_a_first_release_has_nothing_to_compare_with(copy: Path, tmp_path: Path) -> None:
    """It lists no change, and counts what there is."""
    found = changes.read(made(copy, "2026-02-01", tmp_path / "r"), "2026-02-01", "2026-02-01")
    assert found is not None
    assert (found.previous, found.changes) == ("", [])
    totals = {row["class"].removeprefix(LIGHTS): row["total"] for row in found.kinds}
    assert totals["ontology#Light"] == 3  # a lightship is one


def test_a_release_tells_what_changed_since_the_one_before(copy: Path, tmp_path: Path) -> None:
    """Kinds, labels, classes, statements, and what stands in the place of what was retired."""
    releases = tmp_path / "r"
    made(copy, "2026-02-01", releases)
    retire(copy)
    folder = made(copy, "2026-02-10", releases)
    found = changes.read(folder, "2026-02-10", "2026-02-10")
    assert found is not None
    assert found.previous == "2026-02-01"
    told = {c["iri"].removeprefix(LIGHTS): c for c in found.changes}
    assert told["LGT_0001"]["kind"] == "changed"
    assert any("square" in text for text in told["LGT_0001"]["added"])
    assert any("round" in text for text in told["LGT_0001"]["removed"])
    assert told["LGT_0002"]["kind"] == "retired"
    assert told["LGT_0002"]["replacedBy"] == [LIGHTS + "LGT_0001"]
    assert told["LGT_0002"]["class"] == LIGHTS + "ontology#Light"
    assert told["source/harbour-tale"]["kind"] == "gone"
    assert told["source/harbour-tale"]["label"]
    assert not any("graph/derived" in iri or iri.startswith("range/") for iri in told)
    row = next(row for row in found.kinds if row["class"] == LIGHTS + "ontology#Light")
    assert (row["changed"], row["retired"], row["total"]) == (1, 1, 3)
    assert release.read(folder).manifest["previous"]["release"] == "2026-02-01"


def test_a_release_carries_the_history_of_all_before_it(copy: Path, tmp_path: Path) -> None:
    """Names are compared as people count, and a later one beside it is not before it."""
    releases = tmp_path / "r"
    made(copy, "2026-02-10", releases)
    retire(copy)
    made(copy, "2026-10-01", releases)
    folder = made(copy, "2026-9-30", releases)
    assert changes.history(folder) == ("2026-02-10",)
    last = made(copy, "2026-10-02", releases)
    assert changes.history(last) == ("2026-10-01", "2026-02-10")
    again = changes.read(last, "2026-10-01", "2026-10-02")
    assert again is not None
    assert {c["kind"] for c in again.changes} >= {"changed", "retired", "gone"}
    text = (last / "description.ttl").read_text()
    assert text.count("dcat:hasVersion") == 3
    assert "dcat:previousVersion release:2026-10-01" in text
    listed = json.loads((last / "manifest.json").read_text())["files"]
    assert {"changes.json", "changes/2026-10-01.json", "changes/2026-02-10.json"} <= set(listed)


def test_downloads_do_not_depend_on_what_stands_beside_them(copy: Path, tmp_path: Path) -> None:
    """Who builds a checkout alone gets the published bytes."""
    made(copy, "2026-02-01", tmp_path / "r")
    retire(copy)
    beside = made(copy, "2026-02-10", tmp_path / "r")
    alone = made(copy, "2026-02-10", tmp_path / "alone")
    for file in (alone / "downloads").glob("*.*"):
        assert file.read_bytes() == (beside / "downloads" / file.name).read_bytes(), file.name


def test_the_release_to_compare_with_may_be_named(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A release that says nothing of it is made again; one that does stands."""
    old = made(copy, "2026-02-01", tmp_path / "elsewhere")
    made(copy, "2026-02-10", tmp_path / "r")
    words = ["build", "--root", str(copy), "--releases", str(tmp_path / "r")]
    assert main([*words, "--previous", str(old)]) == 0
    assert "built:" in capsys.readouterr().out
    found = changes.read(tmp_path / "r/current", "2026-02-10", "2026-02-10")
    assert found is not None
    assert found.previous == "2026-02-01"
    assert main([*words, "--previous", str(old)]) == 0
    assert "unchanged:" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["../manifest", "..", "", "2026-02-01/../x", "no-such"])
def test_only_names_of_releases_are_looked_up(copy: Path, tmp_path: Path, name: str) -> None:
    """Whatever somebody writes into an address."""
    folder = made(copy, "2026-02-01", tmp_path / "r")
    assert changes.read(folder, name, "2026-02-01") is None


def test_a_damaged_file_says_so(copy: Path, tmp_path: Path) -> None:
    """And is not taken for no changes."""
    folder = made(copy, "2026-02-01", tmp_path / "r")
    (folder / "changes.json").write_text("{")
    with pytest.raises(ReleaseDamaged, match="cannot be read"):
        changes.read(folder, "2026-02-01", "2026-02-01")
