"""The whole graph as a release, and a real server over it."""

import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from publisher import build, corpus
from publisher.check.finding import Report
from tests.conftest import ROOT, Running, start

FOLDERS = ("ontology", "data", "shapes")


@pytest.fixture(scope="session")
def graph_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server over a release of the graph of this checkout."""
    folder = tmp_path_factory.mktemp("graph")
    made = build.build(corpus.read(ROOT), Report(()), folder / "releases")
    running = start(made, folder / "log", workers=2, query_seconds=60)
    yield running
    running.stop()


def _copy(target: Path, without: tuple[str, ...]) -> None:
    """The graph's folders with the founding sources only, and without the named files."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, target / name)
    cited = re.compile(
        r"founding-article.*|doi-10\.1111-ner\.12208|doi-10\.1227-neu\.0b013e318236a57c"
    )
    for file in (target / "data/sources").iterdir():
        if not cited.fullmatch(file.stem):
            file.unlink()
    for pattern in without:
        gone = list(target.glob(pattern))
        assert gone, f"{pattern} names no file"
        for file in gone:
            file.unlink()


Reduced = Callable[[tuple[str, ...]], Running]


@pytest.fixture(scope="session")
def reduced_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reduced]:
    """Servers over the graph with some files taken away, one for each set of files."""
    running: list[Running] = []

    @cache
    def serve(without: tuple[str, ...]) -> Running:
        folder = tmp_path_factory.mktemp("reduced")
        _copy(folder / "graph", without)
        made = build.build(corpus.read(folder / "graph"), Report(()), folder / "releases")
        running.append(start(made, folder / "log", workers=1, processes=1))
        return running[-1]

    yield serve
    for server in running:
        server.stop()
