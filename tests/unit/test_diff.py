"""What changed between two states."""

import shutil
from pathlib import Path

import pytest

from publisher import diff
from publisher.errors import UsageError

LIGHTS = "http://example.org/lights/"


def changes(old: Path, new: Path) -> dict[str, tuple[str, int, int]]:
    found = diff.compare(diff.open_state(old), diff.open_state(new))
    return {
        c.iri.removeprefix(LIGHTS): (c.kind, len(c.added), len(c.removed)) for c in found.changes
    }


def test_nothing_changed(lights_release: Path, copy: Path) -> None:
    """A release and the checkout that it was made from."""
    assert changes(lights_release, copy) == {}


def test_new_changed_retired_and_gone(copy: Path, tmp_path: Path) -> None:
    """Each kind once, with its number of statements."""
    old = Path(shutil.copytree(copy, tmp_path / "old"))
    light = copy / "data/lights/0001-grey-point.ttl"
    light.write_text(light.read_text().replace("A round tower", "A square tower"))
    ship = copy / "data/lights/0002-sand-bank.ttl"
    ship.write_text(
        ship.read_text()
        .replace("@prefix LGT", "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n@prefix LGT")
        .replace("    a lv:Lightship ;", "    a lv:Lightship ;\n    owl:deprecated true ;")
    )
    (copy / "data/sources/harbour-tale.ttl").unlink()
    (copy / "data/lights/0004-new.ttl").write_text(
        f"<{LIGHTS}LGT_0004> <http://www.w3.org/2004/02/skos/core#prefLabel> 'New'@en ."
    )
    assert changes(old, copy) == {
        "LGT_0001": ("changed", 1, 1),
        "LGT_0002": ("retired", 1, 0),
        "LGT_0004": ("new", 1, 0),
        "source/harbour-tale": ("gone", 0, 3),
    }
    found = diff.compare(diff.open_state(old), diff.open_state(copy))
    assert {c.label for c in found.changes} >= {"Grey Point", "New", "A tale told in the harbour"}


def test_derived_statements_are_left_out_unless_asked_for(copy: Path, tmp_path: Path) -> None:
    """A new claim would otherwise show up twice."""
    old = Path(shutil.copytree(copy, tmp_path / "old"))
    source = copy / "data/sources/isbn-978-0-00-000001-9.ttl"
    source.write_text(source.read_text().replace("range:0002-0010", "range:0001-0010"))
    assert "range/0001-0010" not in changes(old, copy)
    everything = diff.compare(
        diff.open_state(old, everything=True), diff.open_state(copy, everything=True)
    )
    assert LIGHTS + "range/0001-0010" in {c.iri for c in everything.changes}


def test_an_nquads_file_is_a_state_too(lights_release: Path, copy: Path, tmp_path: Path) -> None:
    """A download that somebody kept."""
    kept = tmp_path / "kept.nq"
    shutil.copy(lights_release / "current/downloads/lights.nq", kept)
    found = diff.compare(diff.open_state(kept), diff.open_state(lights_release, everything=True))
    assert found.changes == ()


def test_what_is_no_state_says_so(tmp_path: Path) -> None:
    """Wrong use, not a stack of calls."""
    with pytest.raises(UsageError):
        diff.open_state(tmp_path)
