"""Where the graph is and where releases go: a checkout, or the copy that the wheel carries."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import publisher
from publisher.corpus import digest
from publisher.errors import UsageError
from publisher.graph import SETTINGS

CARRIED = Path(publisher.__file__).parent / "_graph"


@dataclass(frozen=True)
class Home:
    """`root` holds ontology/ data/ shapes/; `releases` is where builds of it go."""

    root: Path
    releases: Path


def find(
    *, root: Path | None, releases: Path | None, start: Path, environ: Mapping[str, str]
) -> Home:
    """The graph named by the user, else the checkout around `start`, else the one in the wheel."""
    chosen = root or _checkout(start)
    if chosen is not None:
        if not (chosen / SETTINGS).is_file():
            raise UsageError(
                f"has no {SETTINGS}", where=str(chosen), fix="name the folder that holds ontology/"
            )
        return Home(chosen, releases or chosen / "releases")
    if not (CARRIED / SETTINGS).is_file():
        raise UsageError(
            "this is no checkout of a graph, and none came with the installation",
            where=str(start),
            fix="run it in a folder with ontology/, or give --root",
        )
    return Home(CARRIED, releases or cache(environ) / digest(CARRIED)[:16])


def _checkout(start: Path) -> Path | None:
    folders = (start, *start.parents)
    return next((folder for folder in folders if (folder / SETTINGS).is_file()), None)


def cache(environ: Mapping[str, str]) -> Path:
    """The user's folder for things that can be made again."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    if environ.get("XDG_CACHE_HOME"):
        return Path(environ["XDG_CACHE_HOME"]) / "neuromodkg"
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "neuromodkg"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "neuromodkg"
    return home / ".cache" / "neuromodkg"


def display(path: Path) -> str:
    """The path as a user in the current folder would type it."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)
