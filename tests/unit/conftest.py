"""The small graph about lighthouses, whole and in copies that a test may spoil."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from publisher import build, check, corpus
from publisher.check.finding import Report
from publisher.corpus import Corpus

# A busy machine must not make a test fail.
settings.register_profile("quiet", deadline=None)
settings.load_profile("quiet")

TINY = Path(__file__).parent.parent / "fixtures/tiny"

Spoil = Callable[..., Report]


@pytest.fixture(scope="session")
def lights() -> Corpus:
    """The small graph, as it is."""
    return corpus.read(TINY)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the small graph."""
    leftovers = shutil.ignore_patterns("releases")  # of somebody who served it
    return Path(shutil.copytree(TINY, tmp_path / "lights", ignore=leftovers))


@pytest.fixture
def spoil(copy: Path) -> Spoil:
    """Replaces a text in a file of the copy and judges it."""

    def judge(path: str, old: str = "", new: str = "") -> Report:
        file = copy / path
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        assert old in text
        file.write_text(text.replace(old, new, 1) if old else new, encoding="utf-8")
        return check.judge(corpus.read(copy), processes=1)

    return judge


@pytest.fixture(scope="session")
def lights_release(lights: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of releases with one of the small graph."""
    releases = tmp_path_factory.mktemp("lights") / "releases"
    build.build(lights, check.judge(lights, processes=1), releases)
    return releases
