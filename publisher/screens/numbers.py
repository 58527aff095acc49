"""The panel of numbers: forest plots of what can share an axis, and every number in a table."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from publisher.engine.question import Row
from publisher.pages import forest as drawing
from publisher.protocol.values import whole
from publisher.resource import Link
from publisher.screens.tables import percent
from publisher.screens.work import Cell, Cells, Head, Table, Work, joined

LEAST, MIDDLE, MOST = 3.0, 4.0, 7.0  # half the side of a mark, in pixels


@dataclass(frozen=True)
class ForestRow:
    """One comparison: what it is about, its picture, and what the picture shows, in words."""

    about: Cells
    picture: Markup
    shown: str
    people: str
    source: Cells


@dataclass(frozen=True)
class ForestGroup:
    """Comparisons that share an axis; `left` and `right` say what its sides mean."""

    title: str
    note: str
    left: str
    right: str
    value: str
    rows: tuple[ForestRow, ...]
    axis: Markup


@dataclass(frozen=True)
class Forest:
    """Plots of the comparisons, and the results as a table."""

    groups: tuple[ForestGroup, ...]
    table: Table
    undrawn: int


@dataclass(frozen=True)
class Wording:
    """What the settings say of numbers ([forest])."""

    work: Work

    @cached_property
    def known(self) -> Mapping[str, object]:
        """The table of the settings."""
        return self.work.desk.table("forest")

    def iri(self, name: str) -> str:
        """The IRI that a name of the table stands for."""
        return self.work.desk.iri(str(self.known.get(name, "")))

    def iris(self, name: str) -> frozenset[str]:
        """The IRIs that a name of the table stands for."""
        found = self.known.get(name, [])
        return frozenset(self.work.desk.iris(found if isinstance(found, list) else []))

    @cached_property
    def arms(self) -> Mapping[str, str]:
        """Group → the head of its column, in order; the contrast is the last."""
        found = self.known.get("arms", {})
        pairs = found.items() if isinstance(found, dict) else ()
        return {self.work.desk.iri(curie): str(word) for curie, word in pairs}

    @cached_property
    def first(self) -> tuple[str, str]:
        """The two groups that are compared."""
        arms = [*self.arms, "", ""]
        return arms[0], arms[1]

    def alone(self, row: Row) -> bool:
        """Whether a contrast has no other group: it is with the time before."""
        return self.work.value(row, "comparator") in self.iris("uncontrolled")

    def sides(self, row: Row) -> tuple[str, str]:
        """What left and right of the line mean, by the direction that is better."""
        better = self.work.value(row, "better")
        names = ("better", "worse") if self.alone(row) else ("favours", "favours_other")
        ours, theirs = (str(self.known.get(n, "")) for n in names)
        if not ours or better not in (self.iri("lower"), self.iri("higher")):
            return "", ""
        left, right = (ours, theirs) if better == self.iri("lower") else (theirs, ours)
        return f"← {left}", f"{right} →"


def forest(work: Work) -> Forest:
    """`result estimate arm kind value low high numerator denominator unit p outcome months ...`.

    The table shows the page's results, one row each; plots show all that the panel has, up to a
    bound.
    """
    wording = Wording(work)
    rows = work.drawn or work.rows
    groups = (*_effects(wording, rows), *_shares(wording, rows))
    results = _by_result(work, work.rows)
    return Forest(groups, _table(wording, results), work.undrawn)


def _by_result(work: Work, rows: Sequence[Row]) -> list[list[Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        found.setdefault(work.value(row, "result"), {})[work.value(row, "estimate")] = row
    return [list(each.values()) for each in found.values()]


# plots


def _effects(wording: Wording, rows: Sequence[Row]) -> list[ForestGroup]:
    """Contrasts of one kind (and, but for ratios and standardised ones, of one measure)."""
    work, grouped = wording.work, dict[tuple[str, ...], list[Row]]()
    bare = wording.iris("ratios") | wording.iris("unitless")
    wanted = bare | wording.iris("differences")
    for row in {work.value(row, "estimate"): row for row in rows}.values():
        kind, arm = work.value(row, "kind"), work.value(row, "arm")
        if arm == wording.iri("contrast") and kind in wanted and _drawable(wording, row):
            names = ("kind", "better") if kind in bare else ("kind", "better", "outcome", "unit")
            key = [*(work.value(row, n) for n in names), str(wording.alone(row))]
            grouped.setdefault(tuple(key), []).append(row)
    ordered = sorted(grouped.values(), key=lambda group: -len(group))
    return [_effect_group(wording, group) for group in ordered]


def _drawable(wording: Wording, row: Row) -> bool:
    value = wording.work.number(row, "value")
    ratio = wording.work.value(row, "kind") in wording.iris("ratios")
    return value is not None and math.isfinite(value) and (value > 0 or not ratio)


def _effect_group(wording: Wording, rows: Sequence[Row]) -> ForestGroup:
    work, first = wording.work, rows[0]
    ratio = work.value(first, "kind") in wording.iris("ratios")
    same = len({work.value(row, "outcome") for row in rows}) == 1
    unit = _unit(work.value(first, "unit"))
    sizes = _sizes([_people(work, [row]) for row in rows])
    lines = [
        drawing.Line(
            work.number(row, "value") or 0.0,
            *_ends(work, row, ratio),
            size=size,
            pooled=work.value(row, "design") in wording.iris("pooled"),
        )
        for row, size in zip(rows, sizes, strict=True)
    ]
    plot = drawing.effects(lines, ratio=ratio)
    left, right = wording.sides(first)
    return ForestGroup(
        title=work.text(first, "kind"),
        note=joined(
            (
                work.text(first, "outcome") if same else "",
                unit,
                str(wording.known.get("uncontrolled_note", "")) if wording.alone(first) else "",
            )
        ),
        left=left,
        right=right,
        value=joined((work.text(first, "kind"), _levels(work, rows))),
        rows=tuple(
            ForestRow(
                _about(work, row),
                picture,
                _shown(work, row),
                str(_people(work, [row]) or ""),
                work.source(row),
            )
            for row, picture in zip(rows, plot.pictures, strict=True)
        ),
        axis=plot.axis,
    )


def _levels(work: Work, rows: Sequence[Row]) -> str:
    """What the intervals of a plot are; empty when there are none."""
    found = {work.value(row, "level") for row in rows if work.value(row, "low")}
    level = next(iter(found)) if len(found) == 1 else ""
    return f"{level} % interval".strip(" %") if level else "interval" if found else ""


def _ends(work: Work, row: Row, ratio: bool) -> tuple[float | None, float | None]:
    low, high = work.number(row, "low"), work.number(row, "high")
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return None, None
    return (None, None) if ratio and low <= 0 else (low, high)


def _shares(wording: Wording, rows: Sequence[Row]) -> list[ForestGroup]:
    """Shares of both groups of a result, where both are printed; by what is better."""
    work, (ours, theirs) = wording.work, wording.first
    grouped: dict[str, list[tuple[Row, Row]]] = {}
    for result in _by_result(work, rows):
        found = {
            arm: row
            for row in reversed(result)
            if (arm := work.value(row, "arm")) in (ours, theirs)
            and work.value(row, "kind") in wording.iris("shares")
            and work.value(row, "unit") == "%"
            and 0 <= (work.number(row, "value") or 0.0) <= 100
        }
        if len(found) == 2:
            pair = found[ours], found[theirs]
            grouped.setdefault(work.value(pair[0], "better"), []).append(pair)
    ordered = sorted(grouped.values(), key=lambda group: -len(group))
    return [_share_group(wording, group) for group in ordered]


def _share_group(wording: Wording, group: Sequence[tuple[Row, Row]]) -> ForestGroup:
    work, first = wording.work, group[0][0]
    sizes = _sizes([_people(work, pair) for pair in group])
    plot = drawing.pairs(
        [
            drawing.Line(work.number(a, "value") or 0.0, size=size, other=work.number(b, "value"))
            for (a, b), size in zip(group, sizes, strict=True)
        ]
    )
    words = list(wording.arms.values())
    return ForestGroup(
        title=str(wording.known.get("shares_title", "shares")),
        note=work.text(first, "better"),
        left=f"■ {words[0]}",
        right=f"○ {words[1]}",
        value="■ against ○",
        rows=tuple(
            ForestRow(
                _about(work, a),
                picture,
                f"{percent(work.value(a, 'value'))} against {percent(work.value(b, 'value'))}",
                str(_people(work, (a, b)) or ""),
                work.source(a),
            )
            for (a, b), picture in zip(group, plot.pictures, strict=True)
        ),
        axis=plot.axis,
    )


def _about(work: Work, row: Row) -> Cells:
    """The outcome, when, against what, and on what else than the page's subject."""
    return (Cell(_outcome(work, row)), *_setting(work, row), *work.elsewhere(row))


def _outcome(work: Work, row: Row) -> Link:
    result = work.link(row, "result")
    text = work.text(row, "outcomeText") or work.text(row, "outcome")
    return Link(text, result.href if result else "")


def _setting(work: Work, row: Row) -> Cells:
    when = work.months(row) or work.text(row, "timeText")
    against = work.text(row, "comparator")
    told = joined((when, f"against {against}" if against else ""))
    return (Cell(Link(told), small=True),) if told else ()


def _people(work: Work, rows: Sequence[Row]) -> int:
    """How many people: those counted in the groups, else those of the study."""
    counted = [whole(work.value(row, "denominator")) for row in rows]
    known = [each for each in counted if each is not None]
    if len(rows) > 1 and len(known) == len(rows):
        return sum(known)
    return next((n for row in rows if (n := whole(work.value(row, "people"))) is not None), 0)


def _sizes(people: Sequence[int]) -> list[float]:
    """Marks whose area grows with the number of people; of middle size where it is not known."""
    most = max(people, default=0)
    return [LEAST + (MOST - LEAST) * math.sqrt(n / most) if n else MIDDLE for n in people]


# words for numbers


def _unit(unit: str) -> str:
    """A UCUM unit as people write it.

    >>> _unit("{attacks}/wk"), _unit("mm[Hg]")
    ('attacks/wk', 'mmHg')
    """
    return unit.translate(str.maketrans("", "", "{}[]"))


def _signed(text: str) -> str:
    return text.replace("-", "−")


def _shown(work: Work, row: Row) -> str:
    value, low, high = (_signed(work.value(row, n)) for n in ("value", "low", "high"))
    return f"{value} ({low} to {high})" if low and high else value


def _told(wording: Wording, row: Row) -> Cells:
    """One estimate in words: value with unit, counts, spread, p; under it what kind it is."""
    work = wording.work
    told, printed = _value(work, row), work.text(row, "printed")
    parts = [told or printed]
    if spread := work.value(row, "deviation"):
        parts.append(f"SD {spread}")
    parts.append(_interval(work, row))
    if told or not _P.search(printed):
        parts.append(_p(work, row))
    kind = work.text(row, "kind")
    plain = work.value(row, "kind") in wording.iris("plain")
    note = (Cell(Link(kind), small=True),) if kind and not plain else ()
    return (Cell(Link(joined(parts, "; ") or "not given")), *note)


_P = re.compile(r"\bp\b", re.IGNORECASE)


def _value(work: Work, row: Row) -> str:
    """The number with its unit, and the people that it counts; empty when only words are there."""
    unit, value = _unit(work.value(row, "unit")), _signed(work.value(row, "value"))
    some, all_ = work.value(row, "numerator"), work.value(row, "denominator")
    number = (
        percent(value) if unit == "%" and value else joined((value, unit if value else ""), " ")
    )
    if some and all_:
        counted = f"{some} of {all_}"
        return f"{counted} ({number})" if unit == "%" and value else counted
    if some:
        return f"{number} ({some} people)" if value and value != some else number or some
    return f"{number} (n = {all_})" if all_ and number else number


def _interval(work: Work, row: Row) -> str:
    low, high = (_signed(work.value(row, name)) for name in ("low", "high"))
    if not (low and high):
        return ""
    level = work.value(row, "level")
    kind = work.text(row, "interval") or "interval"
    return f"{joined((f'{level} %' if level else '', kind), ' ')} {low} to {high}"


def _p(work: Work, row: Row) -> str:
    value = work.value(row, "p")
    marks = work.desk.table("forest").get("bounds", {})
    mark = str(marks.get(work.desk.compact(work.value(row, "pRelation")), "="))
    return f"p\u00a0{mark}\u00a0{value}" if value else ""


# the table


def _table(wording: Wording, results: Sequence[Sequence[Row]]) -> Table:
    """One row for each result: what was measured, then each group's numbers, then the contrast."""
    work = wording.work
    heads = [Head("outcome", "outcome")]
    heads += [Head("arm", word) for word in wording.arms.values()]
    heads += [Head("people", "people", True), Head("source", "source")]
    rows = []
    for result in results:
        cells = [
            tuple(c for row in result if work.value(row, "arm") == arm for c in _told(wording, row))
            for arm in wording.arms
        ]
        people = _people(work, result[:1])
        rows.append(
            (
                _about(work, result[0]),
                *cells,
                (Cell(Link(str(people or ""), numeric=True)),),
                work.source(result[0]),
            )
        )
    return Table(tuple(heads), tuple(rows)).without_empty()
