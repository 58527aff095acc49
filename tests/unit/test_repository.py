"""The repository: what stands in it agrees with itself."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher import corpus
from publisher.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_dependency_is_explained() -> None:
    """Named in the documentation, with why it is here."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    table = read("CONTRIBUTING.md").partition("## What we depend on")[2]
    for requirement in listed:
        name = re.split(r"[<>=;~ ]", requirement)[0]
        assert re.search(rf"^\| .*\b{re.escape(name)}\b.* \| \w", table, re.M), name


def rooms_used(file: Path) -> Iterator[str]:
    """The rooms of publisher/ that a file imports, at its top or later."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("publisher"):
            inner = (node.module or "").split(".")[1:2] or [alias.name for alias in node.names]
            yield from inner


def test_a_room_imports_only_rooms_above_it() -> None:
    """In the order that CONTRIBUTING.md lists; so there is no circle either."""
    listed = re.findall(
        r"`(\w+)`", read("CONTRIBUTING.md").partition("## The code")[2].split("\n\n")[2]
    )
    home = ROOT / "publisher"
    rooms = {p.stem for p in home.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert set(listed) == rooms - {"__init__"}
    for file in home.rglob("*.py"):
        room = file.relative_to(home).parts[0].removesuffix(".py")
        for used in set(rooms_used(file)) & set(listed) - {room}:
            assert listed.index(used) < listed.index(room), f"{file} imports {used}"


def test_the_citation_names_the_release() -> None:
    """The vocabulary's header decides what the release is called."""
    version = corpus.read(ROOT).version
    assert f'version: "{version}"' in read("CITATION.cff")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_names_every_command(command: str) -> None:
    """And the Makefile's two."""
    assert f"`neuromodkg {command}" in read("README.md")


def test_links_between_documents_lead_somewhere() -> None:
    """Relative ones; the others are not ours to keep."""
    for file in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", file.read_text(encoding="utf-8")):
            assert (file.parent / target).exists(), f"{file.name}: {target}"


def test_both_licences_are_there() -> None:
    """The code's in full, the graph's by its name and address."""
    assert "END OF TERMS AND CONDITIONS" in read("LICENSE")
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in read("LICENSE-DATA")
