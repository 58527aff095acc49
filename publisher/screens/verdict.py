"""The answer in short: how many investigations point which way, of what design, in whom; which."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from publisher import matrix
from publisher.matrix import Cell, Finding
from publisher.pages import svg
from publisher.resource import Link, Linker
from publisher.screens.desk import Desk, Stance

NAMED = 3  # investigations of each direction that are called by name
UNRANKED = 999


@dataclass(frozen=True)
class Way:
    """The investigations of one direction; `people` is 0 when no study says how many took part.

    `partly`: not every study says so. `named` are the strongest and largest, `more` the others.
    """

    stance: Stance
    studies: int
    syntheses: int
    picture: Markup
    best: Link | None
    people: int
    partly: bool
    named: tuple[Link, ...]
    more: int


def ways(desk: Desk, linker: Linker, cell: Cell) -> tuple[Way, ...]:
    """For and against, each even where it has nothing; the other directions where they have."""
    by_side = cell.by_side
    shown = [s for s in desk.stances.values() if s.side in by_side or s.side in _BOTH]
    ordered = {s.side: _strongest(desk, by_side.get(s.side, ())) for s in shown}
    links = linker.iris(
        {iri for each in ordered.values() for f in each[:NAMED] for iri in _iris(f)}
    )
    return tuple(
        Way(
            stance,
            cell.studies.get(stance.side, 0),
            cell.syntheses.get(stance.side, 0),
            svg.units(
                stance.side, cell.studies.get(stance.side, 0), cell.syntheses.get(stance.side, 0)
            ),
            links[found[0].design] if found and found[0].design else None,
            sum(f.people for f in found if not f.synthesis),
            any(not f.people for f in found if not f.synthesis),
            tuple(links[f.study] for f in found[:NAMED]),
            max(0, len(found) - NAMED),
        )
        for stance in shown
        for found in (ordered[stance.side],)
    )


_BOTH = (matrix.FOR, matrix.AGAINST)


def _iris(finding: Finding) -> list[str]:
    return [iri for iri in (finding.study, finding.design) if iri]


def _strongest(desk: Desk, found: Sequence[Finding]) -> list[Finding]:
    """Studies before syntheses, as on the map; then by design, then by how many took part."""
    ranks = desk.facts.ranks
    return sorted(
        found, key=lambda f: (f.synthesis, ranks.get(f.design, UNRANKED), -f.people, -f.year)
    )
