"""The evidence map: findings → a table of rows, columns and cells. Pure; knows no subject matter.

A finding says which way one study points on one pair. A cell gathers the findings of a row with
those of a column and of everything narrower than the column; a study counts once in it, whatever
it is called there. What the axes are, and where the facts come from, the settings say ([matrix]).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

FOR, AGAINST, MIXED, NEUTRAL = "for", "against", "mixed", "neutral"
SIDES = (FOR, AGAINST, MIXED, NEUTRAL)
Pair = tuple[str, str]


@dataclass(frozen=True)
class Finding:
    """One study (or synthesis of studies) on one pair; `side` is one of SIDES."""

    iri: str
    row: str
    column: str
    study: str
    side: str
    design: str
    year: int
    synthesis: bool
    people: int = 0  # enrolled; 0 when it is not known


@dataclass(frozen=True)
class Facts:
    """All that maps of this release are made of."""

    findings: tuple[Finding, ...]
    named: Mapping[Pair, int]  # pairs on which something is said → how many statements
    broader: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[str, ...]]  # row → its groups
    targets: Mapping[str, tuple[str, ...]]  # column → its targets
    ranks: Mapping[str, int]  # design → place, 1 is the strongest
    umbrellas: frozenset[str] = frozenset()

    @cached_property
    def ancestors(self) -> Mapping[str, frozenset[str]]:
        """Everything that is broader, itself included."""
        found: dict[str, frozenset[str]] = {}
        for iri in self.broader:
            reached, ahead = {iri}, [iri]
            while ahead:
                for parent in self.broader.get(ahead.pop(), ()):
                    if parent not in reached:
                        reached.add(parent)
                        ahead.append(parent)
            found[iri] = frozenset(reached)
        return found

    @cached_property
    def by_pair(self) -> Mapping[Pair, tuple[Finding, ...]]:
        """The findings on exactly a row and a column."""
        found: dict[Pair, list[Finding]] = defaultdict(list)
        for finding in self.findings:
            found[finding.row, finding.column].append(finding)
        return {pair: tuple(findings) for pair, findings in found.items()}

    def above(self, iri: str) -> frozenset[str]:
        """`iri` and everything broader."""
        return self.ancestors.get(iri, frozenset({iri}))

    def heads(self, column: str, within: str = "") -> frozenset[str]:
        """The columns under which a column's findings stand.

        On the whole map the broadest that is no umbrella; inside one column its direct children.
        """
        reached = self.above(column)
        if within:
            if within not in reached:
                return frozenset()
            children = {c for c in reached if within in self.broader.get(c, ())}
            return frozenset(children or {within})
        meaningful = reached - self.umbrellas
        if column in self.umbrellas or not meaningful:
            return frozenset({column})
        return frozenset(c for c in meaningful if not (self.above(c) - {c}) & meaningful)


@dataclass(frozen=True)
class Filters:
    """What a view leaves in; empty means everything."""

    designs: frozenset[str] = frozenset()
    side: str = ""
    since: int = 0
    until: int = 0
    group: str = ""
    target: str = ""
    within: str = ""
    everything: bool = False

    def admits(self, finding: Finding) -> bool:
        """Whether a finding is left in."""
        return (
            (not self.designs or finding.design in self.designs)
            and (not self.side or finding.side == self.side)
            and (not self.since or finding.year >= self.since)
            and (not self.until or 0 < finding.year <= self.until)
        )


@dataclass(frozen=True)
class Cell:
    """What stands where a row and a column meet.

    `state`: `evidence`; `filtered` (there is some, but the filters leave it out); `named`
    (something is said of the pair, no study has a direction on it); `unknown` (nobody has looked).
    """

    row: str
    column: str
    state: str
    findings: tuple[Finding, ...] = ()
    studies: Mapping[str, int] = field(default_factory=dict)  # side → studies
    syntheses: Mapping[str, int] = field(default_factory=dict)
    best: str = ""
    statements: int = 0

    @property
    def study_count(self) -> int:
        """How many studies."""
        return sum(self.studies.values())

    @property
    def synthesis_count(self) -> int:
        """How many syntheses of studies."""
        return sum(self.syntheses.values())

    @property
    def investigations(self) -> int:
        """How many studies and syntheses."""
        return self.study_count + self.synthesis_count

    @property
    def opposed(self) -> bool:
        """Whether some investigations support and others dispute."""
        sides = {s for s in SIDES if self.studies.get(s) or self.syntheses.get(s)}
        return {FOR, AGAINST} <= sides

    @property
    def disputed(self) -> bool:
        """Whether investigations do not all point one way: opposed, or some of them mixed."""
        sides = {s for s in SIDES if self.studies.get(s) or self.syntheses.get(s)}
        return {FOR, AGAINST} <= sides or (MIXED in sides and bool(sides & {FOR, AGAINST}))

    @property
    def agreement(self) -> str:
        """How they disagree, in words; empty when they do not."""
        return "opposed" if self.opposed else "not all one way" if self.disputed else ""

    @cached_property
    def by_side(self) -> Mapping[str, tuple[Finding, ...]]:
        """One finding of each investigation, by the direction that the investigation has here."""
        first = {(f.synthesis, f.study): f for f in reversed(self.findings)}
        found: dict[str, list[Finding]] = defaultdict(list)
        for investigation, side in directions(self.findings).items():
            found[side].append(first[investigation])
        return {side: tuple(findings) for side, findings in found.items()}

    @property
    def tone(self) -> str:
        """The one word that colour and pattern stand for; the two sides where they are disputed."""
        if self.disputed:
            sides = [s for s in SIDES if self.studies.get(s) or self.syntheses.get(s)]
            return "-".join(sides[:2])
        for side in (AGAINST, MIXED, FOR, NEUTRAL):
            if self.studies.get(side) or self.syntheses.get(side):
                return side
        return self.state

    @property
    def years(self) -> tuple[int, int]:
        """First and last year of the findings; zeros when none is known."""
        known = [f.year for f in self.findings if f.year]
        return (min(known), max(known)) if known else (0, 0)

    @property
    def narrower(self) -> int:
        """How many findings are on something narrower than the column."""
        return sum(f.column != self.column for f in self.findings)


@dataclass(frozen=True)
class View:
    """A table: rows under their group, columns, cells by pair."""

    groups: tuple[tuple[str, tuple[str, ...]], ...]
    columns: tuple[str, ...]
    cells: Mapping[Pair, Cell]

    def cell(self, row: str, column: str) -> Cell:
        """The cell of a pair; one that holds nothing when nobody has looked."""
        return self.cells.get((row, column)) or Cell(row, column, "unknown")

    @property
    def rows(self) -> tuple[str, ...]:
        """Every row once, in order; a row of two groups stands under both."""
        return tuple(dict.fromkeys(row for _, rows in self.groups for row in rows))

    @property
    def filled(self) -> tuple[Cell, ...]:
        """The cells with evidence, in reading order."""
        found = (self.cells.get((row, column)) for row in self.rows for column in self.columns)
        return tuple(cell for cell in found if cell is not None and cell.state == "evidence")


def view(facts: Facts, filters: Filters, labels: Mapping[str, str]) -> View:
    """The table that the filters leave; `labels` orders rows and groups."""
    shown: dict[Pair, list[Finding]] = defaultdict(list)
    hidden: set[Pair] = set()
    for finding in facts.findings:
        for pair in _places(facts, filters, finding.row, finding.column):
            if filters.admits(finding):
                shown[pair].append(finding)
            else:
                hidden.add(pair)
    named: dict[Pair, int] = defaultdict(int)
    for (row, column), statements in facts.named.items():
        for pair in _places(facts, filters, row, column):
            named[pair] += statements
    cells = {pair: gather(pair, found, facts.ranks, named[pair]) for pair, found in shown.items()}
    rows, columns = {row for row, _ in cells}, {column for _, column in cells}
    if filters.everything:
        rows |= {row for row, _ in named}
        columns |= {column for _, column in named}
    for pair, statements in named.items():
        if pair not in cells and pair[0] in rows and pair[1] in columns:
            state = "filtered" if pair in hidden else "named"
            cells[pair] = Cell(*pair, state, statements=statements)
    sizes = dict.fromkeys(columns, 0)
    for (_, column), cell in cells.items():
        sizes[column] += cell.study_count + cell.synthesis_count
    return View(
        groups=_grouped(facts, filters, rows, labels, cells),
        columns=tuple(sorted(columns, key=lambda c: (-sizes[c], labels.get(c, c)))),
        cells=cells,
    )


def gather(pair: Pair, found: Sequence[Finding], ranks: Mapping[str, int], said: int = 0) -> Cell:
    """One cell of some findings; a study with several findings here has one direction."""
    studies: dict[str, int] = defaultdict(int)
    syntheses: dict[str, int] = defaultdict(int)
    for (synthesis, _), side in directions(found).items():
        (syntheses if synthesis else studies)[side] += 1
    designs = [f.design for f in found if not f.synthesis] or [f.design for f in found]
    best = min(designs, key=lambda design: ranks.get(design, 999), default="")
    return Cell(*pair, "evidence", tuple(found), dict(studies), dict(syntheses), best, said)


def directions(found: Iterable[Finding]) -> dict[tuple[bool, str], str]:
    """The one direction of each investigation, by whether it is a synthesis and by its IRI."""
    sides: dict[tuple[bool, str], set[str]] = defaultdict(set)
    for finding in found:
        sides[finding.synthesis, finding.study].add(finding.side)
    return {investigation: _together(each) for investigation, each in sides.items()}


def _together(sides: Iterable[str]) -> str:
    """The direction of a study that has several: both ways is mixed."""
    found = set(sides)
    if MIXED in found or {FOR, AGAINST} <= found:
        return MIXED
    return FOR if FOR in found else AGAINST if AGAINST in found else NEUTRAL


def _places(facts: Facts, filters: Filters, row: str, column: str) -> Iterable[Pair]:
    if filters.group and filters.group not in facts.groups.get(row, ()):
        return ()
    if filters.target and not any(
        filters.target in facts.targets.get(each, ()) for each in facts.above(column)
    ):
        return ()
    return ((row, head) for head in facts.heads(column, filters.within))


def _grouped(
    facts: Facts,
    filters: Filters,
    rows: Iterable[str],
    labels: Mapping[str, str],
    cells: Mapping[Pair, Cell],
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        for group in facts.groups.get(row, ("",)):
            if not filters.group or group == filters.group:
                found[group].append(row)
    sizes: dict[str, int] = defaultdict(int)
    for (row, _), cell in cells.items():
        sizes[row] += len(cell.findings)
    ordered = sorted(
        found,
        key=lambda g: (g == "", -sum(sizes[row] for row in found[g]), labels.get(g, g).lower()),
    )
    return tuple(
        (group, tuple(sorted(found[group], key=lambda r: (labels.get(r, r).lower(), r))))
        for group in ordered
    )
