"""What changed from each release to the next, as the releases themselves carry it.

A release holds `changes.json`, its own difference to the release before it, and takes over the
`changes/<name>.json` of every one before that. So one folder tells the whole history, and nothing
has to be compared while somebody waits.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from publisher import diff
from publisher.diff import Change, State
from publisher.errors import ReleaseDamaged
from publisher.graph import Graph
from publisher.names import natural
from publisher.release import Release

FILE = "changes.json"
FOLDER = "changes"
KINDS = ("new", "changed", "retired", "gone")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Entry:
    """One release and how it differs from the one before; `previous` is empty for the first.

    `counts` has one number for each of KINDS, and the statements added and removed; `kinds` one row
    for each class of things: class, label, total and KINDS. A change has `kind`, `iri`, `label`,
    `class`, `replacedBy`, `statementsAdded`, `statementsRemoved`, and, unless the thing is new, the
    statements themselves as `added` and `removed` (N-Triples without the subject).
    """

    release: str
    previous: str
    counts: Mapping[str, int]
    kinds: Sequence[Mapping[str, Any]]
    changes: Sequence[Mapping[str, Any]]

    @property
    def date(self) -> str:
        """The day that the release is named by; empty when it has another name."""
        return self.release if re.fullmatch(r"\d{4}-\d\d-\d\d", self.release) else ""


# --- in a build -----------------------------------------------------------------------------------


def write(
    folder: Path, about: Graph, version: str, quads: Iterable[ox.Quad], before: Release | None
) -> Iterator[Path]:
    """Write both into a release that is being built; gives the files."""
    made = frozenset({about.derived_graph, about.dataset_graph})
    naming = _naming(about)
    new = diff.state(version, (q for q in quads if _name(q) not in made), naming)
    old = diff.open_state(before.path, naming=naming) if before is not None else None
    yield _save(folder / FILE, _content(about, new, old, before))
    if before is None:
        return
    (folder / FOLDER).mkdir()
    for source in sorted((before.path / FOLDER).glob("*.json")):
        target = folder / FOLDER / source.name
        shutil.copyfile(source, target)
        yield target
    own = before.path / FILE
    content = json.loads(own.read_text("utf-8")) if own.is_file() else _bare(before.name)
    yield _save(folder / FOLDER / f"{before.name}.json", content)


def _naming(about: Graph) -> list[str]:
    """The properties by which this graph's things are called."""
    listed = about.raw.get("labels", {}).get("properties", [])
    return [about.prefixes.expand(curie) or curie for curie in listed]


def _save(file: Path, content: Mapping[str, Any]) -> Path:
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def _bare(name: str) -> dict[str, Any]:
    """What can be said of a release that did not keep its changes."""
    return {"release": name, "previous": None, "counts": {}, "kinds": [], "changes": []}


def _name(quad: ox.Quad) -> str:
    return str(getattr(quad.graph_name, "value", ""))


def _content(about: Graph, new: State, old: State | None, before: Release | None) -> dict[str, Any]:
    found = diff.compare(old, new) if old is not None else diff.Difference("", new.name, ())
    classes = _Classes(about, new, old)
    counted: Counter[tuple[str, str]] = Counter()
    for change in found.changes:
        counted[classes.of(change.iri), change.kind] += 1
    totals = Counter(classes.of(iri) for iri in new.types)
    names = {name for name, _ in counted} | set(totals)
    return {
        "release": new.name,
        "previous": before.name if before is not None else None,
        "counts": found.counts,
        "kinds": [
            {
                "class": name,
                "label": classes.label(name),
                "total": totals[name],
                **{kind: counted[name, kind] for kind in KINDS},
            }
            for name in sorted(names, key=classes.place)
        ],
        "changes": [_told(change, classes.of(change.iri)) for change in found.changes],
    }


def _told(change: Change, of_class: str) -> dict[str, Any]:
    """What a new thing says stands in the release itself."""
    statements = {"added": change.added, "removed": change.removed}
    return {
        "kind": change.kind,
        "iri": change.iri,
        "label": change.label,
        "class": of_class,
        "replacedBy": change.replaced_by,
        "statementsAdded": len(change.added),
        "statementsRemoved": len(change.removed),
        **({} if change.kind == "new" else statements),
    }


class _Classes:
    """The one class under which each thing is listed: the first that the graph searches by."""

    def __init__(self, about: Graph, new: State, old: State | None) -> None:
        wanted = about.raw.get("search", {}).get("kinds", [])
        expand = about.prefixes.expand
        self.order = {(expand(curie) or curie): place for place, curie in enumerate(wanted)}
        self.sides = [side for side in (new, old) if side is not None]
        self.show = about.prefixes.show
        self.known: dict[frozenset[str], str] = {}

    def of(self, iri: str) -> str:
        """The class of a thing; empty when it has none."""
        types = next((s.types[iri] for s in self.sides if iri in s.types), frozenset[str]())
        if types not in self.known:
            reached, ahead = set(types), list(types)
            while ahead:
                name = ahead.pop()
                for upper in {u for side in self.sides for u in side.above.get(name, ())}:
                    if upper not in reached:
                        reached.add(upper)
                        ahead.append(upper)
            listed = [name for name in reached if name in self.order]
            self.known[types] = min(listed or types, key=self.place, default="")
        return self.known[types]

    def place(self, name: str) -> tuple[int, str]:
        """Where a class stands in lists."""
        return self.order.get(name, len(self.order)), name

    def label(self, name: str) -> str:
        """What a class is called."""
        found = next((s.labels[name] for s in self.sides if name in s.labels), "")
        return found or (self.show(name) if name else "")


# --- in a release ---------------------------------------------------------------------------------


def history(folder: Path) -> tuple[str, ...]:
    """The names of all releases up to this one, the newest first."""
    files = [f.stem for f in (folder / FOLDER).glob("*.json")]
    return tuple(sorted(files, key=natural, reverse=True))


def read(folder: Path, version: str, current: str) -> Entry | None:
    """The changes that made a release; None when the folder does not know of it."""
    if not _NAME.fullmatch(version):
        return None
    file = folder / FILE if version == current else folder / FOLDER / f"{version}.json"
    try:
        content = json.loads(file.read_text("utf-8"))
        return Entry(
            release=str(content["release"]),
            previous=str(content["previous"] or ""),
            counts=content["counts"],
            kinds=content["kinds"],
            changes=content["changes"],
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseDamaged(f"{file.name} cannot be read: {error}", where=str(folder)) from error
