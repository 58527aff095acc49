"""The wheel: it carries the graph and works outside the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "-w",
            str(folder),
            str(ROOT),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "hatchling" in done.stderr:
        pytest.skip("hatchling cannot be fetched")
    assert done.returncode == 0, done.stderr
    return next(folder.glob("neuromodkg-*.whl"))


def test_the_wheel_carries_the_graph(wheel: Path) -> None:
    """Every file of it, and both licences."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("ontology", "data", "shapes"):
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and not file.name.startswith("."):
                assert f"publisher/_graph/{file.relative_to(ROOT).as_posix()}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/LICENSE-DATA") for name in names)
    assert "publisher/py.typed" in names


def test_the_installed_package_builds_its_graph_outside_the_checkout(
    wheel: Path, tmp_path: Path
) -> None:
    """Into the user's cache, named by the graph's sum."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    where = tmp_path / "somewhere"
    where.mkdir()
    env = {**os.environ, "PYTHONPATH": str(site), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "publisher.cli", "build"],
        cwd=where,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert len(list((tmp_path / "cache/neuromodkg").glob("*/current/manifest.json"))) == 1
    assert list(where.iterdir()) == []
