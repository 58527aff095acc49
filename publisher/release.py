"""A release on disk: a folder that never changes, and the link that says which one is current.

    releases/
      current -> 2026-11-22.3f9c2a1b
      2026-11-22.3f9c2a1b/
        manifest.json  store/  downloads/  description.ttl  search.sqlite  context.jsonld  ...

The folder's name is the release's name and the start of its inputs' sum: a rebuild with other
inputs never writes into a folder that somebody is serving.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import publisher
from publisher.errors import NoRelease, ReleaseDamaged, ReleaseError
from publisher.names import natural

MANIFEST = "manifest.json"
CURRENT = "current"


@dataclass(frozen=True)
class Release:
    """An opened release: where it is, and what its manifest says."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.manifest["release"])

    @property
    def store(self) -> Path:
        return self.path / "store"

    @property
    def identity(self) -> dict[str, str]:
        """What tells it from every other: its name, and the sum of what it was made from."""
        return {"release": self.name, "inputs": str(self.manifest.get("inputs", ""))}


def read(path: Path) -> Release:
    """Open a release folder, or the current one of a folder of releases."""
    folder = path / CURRENT if (path / CURRENT).exists() else path
    folder = folder.resolve()
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except OSError as error:
        raise NoRelease(
            "is no release: it has no manifest.json", where=str(path), fix="run `neuromodkg build`"
        ) from error
    except ValueError as error:
        raise ReleaseDamaged(f"manifest.json cannot be read: {error}", where=str(folder)) from error
    return Release(folder, manifest)


# What a build's bytes depend on: these rooms of the package, and these engines.
ROOMS = (
    *("build", "changes", "check", "corpus", "derive", "describe", "diff", "downloads", "engine"),
    "errors",
    *("formats", "graph", "jsonld", "mappings", "names", "rdfxml", "release", "search", "turtle"),
)
ENGINES = ("pyoxigraph", "rdflib", "pyshacl")


def inputs_of(digest: str) -> str:
    """One sum over everything a release depends on: the graph's files, the rooms, the engines."""
    total = hashlib.sha256(digest.encode())
    for engine in ENGINES:
        total.update(f"{engine} {importlib.metadata.version(engine)}\n".encode())
    home = Path(publisher.__file__).parent
    for room in ROOMS:
        files = (
            [home / f"{room}.py"]
            if (home / f"{room}.py").is_file()
            else (home / room).rglob("*.py")
        )
        for path in sorted(files):
            total.update(path.relative_to(home).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def verify(release: Release, *, sums: bool = True) -> None:
    """Raises ReleaseDamaged unless every file is there, of its size, and (if asked) of its sum."""
    for path, entry in {**release.manifest["files"], **release.manifest["store"]}.items():
        file = release.path / path
        if not file.is_file():
            raise ReleaseDamaged("is missing", where=str(file), fix="build the release again")
        if file.stat().st_size != entry["bytes"]:
            raise ReleaseDamaged("has another size", where=str(file), fix="build the release again")
        if sums and sum_of(file) != entry["sha256"]:
            raise ReleaseDamaged("has another sum", where=str(file), fix="build the release again")


def sum_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def others(releases: Path, name: str) -> list[Release]:
    """The releases of this graph in a folder, the oldest first; one for each version."""
    found: dict[str, Release] = {}
    for folder in sorted(releases.iterdir() if releases.is_dir() else ()):
        hidden = folder.name.startswith(".") or folder.is_symlink()
        if hidden or not (folder / MANIFEST).is_file():
            continue
        with suppress(ReleaseError, KeyError):
            release = read(folder)
            if release.manifest.get("name") == name:
                found[release.name] = release
    return [found[version] for version in sorted(found, key=natural)]


def before(releases: Path, name: str, version: str) -> Release | None:
    """The newest release of this graph that is older than a version, by their names."""
    older = [r for r in others(releases, name) if natural(r.name) < natural(version)]
    return older[-1] if older else None


def standing(releases: Path, inputs: str, previous: Release | None = None) -> Release | None:
    """The current release, if it was made from just these inputs and nothing of it is missing.

    With `previous`, only if it says what changed since that one.
    """
    try:
        release = read(releases)
        if release.manifest.get("inputs") != inputs:
            return None
        if previous is not None and release.manifest.get("previous") != previous.identity:
            return None
        verify(release, sums=False)
    except ReleaseError:
        return None
    return release


@contextmanager
def beside(releases: Path, name: str) -> Iterator[Path]:
    """A folder to build in; it gets its name when the block ends well, and vanishes otherwise."""
    releases.mkdir(parents=True, exist_ok=True)
    building = releases / f".{name}.building-{os.getpid()}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    try:
        yield building
        _to_disk(building)
        final = releases / name
        if final.exists():
            _discard(final)
        building.rename(final)
        _sync(releases)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def make_current(releases: Path, name: str) -> None:
    """Point the link at another release in one step."""
    link = releases / f".{CURRENT}-{os.getpid()}"
    with suppress(FileNotFoundError):
        link.unlink()
    link.symlink_to(name)
    link.replace(releases / CURRENT)
    _sync(releases)


def prune(releases: Path, *, keep: set[str]) -> None:
    """Remove other builds of the same release; a server that has one open keeps its open files."""
    names = {name.rpartition(".")[0] for name in keep}
    for folder in releases.iterdir():
        same = folder.name.rpartition(".")[0] in names
        if folder.is_dir() and not folder.is_symlink() and same and folder.name not in keep:
            _discard(folder)


def _discard(folder: Path) -> None:
    """Out of sight in one step, then deleted."""
    aside = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def _to_disk(folder: Path) -> None:
    for path, _, files in os.walk(folder):
        for file in files:
            _sync(Path(path) / file)
        _sync(Path(path))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
