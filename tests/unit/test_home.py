"""Where the graph is, and where releases go."""

from pathlib import Path

import pytest

from publisher import home
from publisher.errors import UsageError


def find(start: Path, root: Path | None = None, **environ: str) -> home.Home:
    return home.find(root=root, releases=None, start=start, environ=environ)


def test_a_checkout_is_found_from_any_folder_in_it(copy: Path) -> None:
    """As git does."""
    assert find(copy / "data/lights") == home.Home(copy, copy / "releases")


def test_the_user_may_name_it(copy: Path, tmp_path: Path) -> None:
    """And a wrong name is wrong use."""
    assert find(tmp_path, copy).root == copy
    with pytest.raises(UsageError, match=r"has no ontology/graph\.toml"):
        find(copy, tmp_path)


def test_elsewhere_it_is_the_carried_graph(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its releases go to the user's cache, in a folder named by the graph's sum."""
    monkeypatch.setattr(home, "CARRIED", copy)
    found = find(tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert found.root == copy
    assert found.releases.parent == tmp_path / "cache/neuromodkg"
    light = copy / "data/lights/0001-grey-point.ttl"
    light.write_text(light.read_text().replace("round", "square"))
    assert find(tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache")).releases != found.releases
    assert str(find(tmp_path, HOME="/home/me").releases).startswith("/home/me/")


def test_neither_is_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without a graph, in a folder without one."""
    monkeypatch.setattr(home, "CARRIED", tmp_path / "none")
    with pytest.raises(UsageError, match="no checkout"):
        find(tmp_path)
