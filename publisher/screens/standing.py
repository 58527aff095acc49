"""Where a thing stands: one end of pairs among all its pairs, a claim among what its pair has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from publisher import matrix
from publisher.matrix import Cell as MapCell
from publisher.resource import Link, Linker, ResourceView
from publisher.screens.desk import Desk, Stance
from publisher.screens.pair import cell_of, cells_of, is_row_of, pair_path, years
from publisher.screens.verdict import Way, ways
from publisher.screens.work import shortened


@dataclass(frozen=True)
class Standing:
    """All investigations on a thing and what is narrower; each once, whatever it is on."""

    cell: MapCell
    ways: Sequence[Way]
    years: str
    best: str
    others: str  # what the other end is called: therapies, conditions
    pairs: int  # how many of them have an investigation with a direction
    opposed: int  # on how many of them some support and others dispute


def standing(desk: Desk, linker: Linker, found: ResourceView) -> Standing | None:
    """The sum of a thing's rows of the map; None when nothing on it has a direction."""
    known = desk.table("matrix")
    is_row = is_row_of(desk, found)
    cell = _whole(desk, found.iri, is_row)
    if not cell.findings:
        return None
    cells = [each for each, _ in cells_of(desk, found.iri, is_row).values() if each.findings]
    return Standing(
        cell,
        ways(desk, linker, cell),
        years(cell),
        linker.link(cell.best).text if cell.best else "",
        str(known.get("columns" if is_row else "rows", "")),
        len(cells),
        sum(each.opposed for each in cells),
    )


def _whole(desk: Desk, iri: str, is_row: bool) -> MapCell:
    """All findings on a thing and what is narrower as one cell; kept as the pairs' cells are."""
    kept: dict[tuple[str, bool], MapCell] = desk.site.shelf.setdefault("whole-cells", {})
    if (iri, is_row) not in kept:
        below = desk.below(iri)
        inside = [f for f in desk.facts.findings if (f.row if is_row else f.column) in below]
        kept[iri, is_row] = matrix.gather((iri, ""), inside, desk.facts.ranks)
    return kept[iri, is_row]


@dataclass(frozen=True)
class Place:
    """What a claim is on, what it rests on, and what else its pair has."""

    pair: Link
    cell: MapCell
    design: str
    people: str
    source: Link | None


def place(
    desk: Desk, linker: Linker, found: ResourceView, known: Mapping[str, Any]
) -> Place | None:
    """The pair of a claim; None for what is on no pair. `rows` of the view name its set of rows."""
    axes = desk.table("matrix")
    ends = [found.values(desk.iri(str(axes.get(f"{a}_property", "")))) for a in ("row", "column")]
    if not known.get("rows") or known.get("kind") != "statement" or not all(ends):
        return None
    row, column = (links[0] for links in ends)
    variable = str(known["variable"])
    kept = desk.index.sets.pick(str(known["rows"]), {variable: [found.iri]}).rows(1)
    links = linker.links(kept[0].values()) if kept else {}
    told = {name: links[term] for name, term in kept[0].items()} if kept else {}
    source = told.get("source")
    return Place(
        _pair(desk, linker, row, column),
        cell_of(desk, row.iri, column.iri),
        told["design"].text if "design" in told else "",
        told["enrolled"].text if "enrolled" in told else "",
        shortened(desk, source) if source else None,
    )


@dataclass(frozen=True)
class Point:
    """Which way an investigation points on one pair."""

    stance: Stance
    pair: Link


def points(
    desk: Desk, linker: Linker, found: ResourceView, known: Mapping[str, Any]
) -> tuple[Point, ...]:
    """The findings of a study, or of all studies of a source, as the map counts them."""
    if not known.get("rows") or known.get("kind") == "statement":
        return ()
    picked = desk.index.sets.pick(str(known["rows"]), {str(known["variable"]): [found.iri]})
    studies = set(picked.values(str(known.get("study", "study"))))
    mine = [f for f in desk.facts.findings if f.study in studies]
    links = linker.iris({iri for f in mine for iri in (f.row, f.column)})
    sides = {stance.side: stance for stance in desk.stances.values()}
    order = list(sides)
    return tuple(
        Point(sides[f.side], _pair(desk, linker, links[f.row], links[f.column]))
        for f in sorted(mine, key=lambda f: (order.index(f.side), links[f.column].text))
    )


def _pair(desk: Desk, linker: Linker, row: Link, column: Link) -> Link:
    """The page of a pair, called by its two ends."""
    form = str(desk.table("matrix").get("pair_title", "{column}, {row}"))
    text = form.format(row=row.text, column=column.text)
    return Link(text, pair_path(linker, row.iri, column.iri))
