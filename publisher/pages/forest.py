"""Forest plots, one small picture for each row of a table: text stays text, and reflows.

Places are percentages of the width, so that a picture is as wide as its cell. What a picture
shows, its row says in words: pictures are hidden from those who listen.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

LEFT, WIDE = 4.0, 92.0  # where an axis begins, how long it is, in per cent
FLOOR, CEILING = 0.02, 50.0  # ratios beyond are drawn at the edge, with an arrow
_RATIO_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_MOST_TICKS = 6


@dataclass(frozen=True)
class Line:
    """One row; `low` and `high` are None when no interval is known.

    `size` (half the side of the mark, in pixels) grows with the number of people; a `pooled` one is
    a diamond. `other` is the value of the group that it is compared with, for pairs of values.
    """

    value: float
    low: float | None = None
    high: float | None = None
    size: float = 4.0
    pooled: bool = False
    other: float | None = None


@dataclass(frozen=True)
class Plot:
    """A picture for each line, and the axis under them."""

    pictures: tuple[Markup, ...]
    axis: Markup


@dataclass(frozen=True)
class Scale:
    """Values → per cent of the width; ratios on a logarithm."""

    low: float
    high: float
    ratio: bool

    def __call__(self, value: float) -> float:
        """The place of a value, kept within the axis."""
        low, high = self.low, self.high
        if self.ratio:
            value, low, high = math.log(max(value, 1e-9)), math.log(low), math.log(high)
        share = (value - low) / (high - low)
        return LEFT + WIDE * min(max(share, 0.0), 1.0)

    def beyond(self, value: float) -> bool:
        """Whether a value lies outside the axis; only ratios can."""
        return self.ratio and not self.low * 0.999 <= value <= self.high * 1.001

    def ticks(self) -> list[float]:
        """Round values between the ends, not too many of them."""
        if self.ratio:
            found = [t for t in _RATIO_TICKS if self.low <= t <= self.high]
            return found if len(found) <= _MOST_TICKS + 2 else [t for t in found if t in _SPARSE]
        raw = (self.high - self.low) / (_MOST_TICKS - 1)
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(size * m for m in (1, 2, 5, 10) if size * m >= raw * (1 - 1e-9))
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [round(step * n, 10) for n in range(first, last + 1)]


_SPARSE = {0.02, 0.1, 0.5, 1.0, 2.0, 10.0, 50.0}


def effects(lines: Sequence[Line], *, ratio: bool) -> Plot:
    """Effects with their intervals around the line of no effect (1 of a ratio, 0 of another)."""
    null = 1.0 if ratio else 0.0
    scale = _around(lines, null, ratio)
    return Plot(tuple(_effect(line, scale, null) for line in lines), _axis(scale, null))


def pairs(lines: Sequence[Line]) -> Plot:
    """Shares of two groups, in per cent, the one filled and the other hollow."""
    scale = Scale(0.0, 100.0, ratio=False)
    return Plot(tuple(_pair(line, scale) for line in lines), _axis(scale, None))


def _around(lines: Iterable[Line], null: float, ratio: bool) -> Scale:
    ends = [null]
    for line in lines:
        ends += [v for v in (line.value, line.low, line.high) if v is not None]
    if ratio:
        ends = [min(max(v, FLOOR), CEILING) for v in (*ends, 0.5, 2.0)]
        return Scale(min(ends), max(ends), ratio)
    low, high = min(ends), max(ends)
    least = (high - low or 1.0) * 0.2  # of each side, so that both can be told apart
    return Scale(min(low, null - least) - least / 4, max(high, null + least) + least / 4, ratio)


def _effect(line: Line, scale: Scale, null: float) -> Markup:
    parts = [_upright(scale(null), "null")]
    if line.low is not None and line.high is not None:
        parts.append(_level(scale(line.low), scale(line.high), "interval"))
        parts += [_arrow(scale(v), v > null) for v in (line.low, line.high) if scale.beyond(v)]
    known = line.low is not None
    parts.append(_mark(scale(line.value), line.size, pooled=line.pooled, filled=known))
    return _row(parts)


def _pair(line: Line, scale: Scale) -> Markup:
    parts = []
    if line.other is not None:
        parts.append(_level(scale(line.other), scale(line.value), "between"))
        parts.append(_mark(scale(line.other), line.size, pooled=False, filled=False))
    parts.append(_mark(scale(line.value), line.size, pooled=False, filled=True))
    return _row(parts)


def _axis(scale: Scale, null: float | None) -> Markup:
    parts = [_level(LEFT, LEFT + WIDE, "axis", at="1")]
    for tick in scale.ticks():
        x, text = scale(tick), f"{tick:g}".replace("-", "−")
        parts.append(f'<line x1="{x:.2f}%" x2="{x:.2f}%" y1="1" y2="6" class="axis"/>')
        parts.append(f'<text x="{x:.2f}%" y="19" class="tick">{text}</text>')
    if null is not None:
        x = scale(null)
        parts.append(f'<line x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="8" class="axis"/>')
    return _row(parts, "plot axis-row")


def _row(parts: Sequence[str], klass: str = "plot") -> Markup:
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="100%" aria-hidden="true"'
        f' focusable="false" class="{klass}">{"".join(parts)}</svg>'
    )
    return Markup(drawn)  # noqa: S704 - numbers and class names of our own


def _upright(x: float, klass: str) -> str:
    return f'<line x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="100%" class="{klass}"/>'


def _level(left: float, right: float, klass: str, at: str = "50%") -> str:
    return f'<line x1="{left:.2f}%" x2="{right:.2f}%" y1="{at}" y2="{at}" class="{klass}"/>'


def _mark(x: float, size: float, *, pooled: bool, filled: bool) -> str:
    """Drawn around a point of its own, for percentages know no offset."""
    klass = "mark" if filled else "mark open"
    if pooled:
        wide, high = size * 2, size * 1.4
        points = f"-{wide:.1f},0 0,-{high:.1f} {wide:.1f},0 0,{high:.1f}"
        shape = f'<polygon points="{points}" class="{klass}"/>'
    elif filled:
        side = 2 * size
        shape = (
            f'<rect x="-{size:.1f}" y="-{size:.1f}" width="{side:.1f}" height="{side:.1f}"'
            f' class="{klass}"/>'
        )
    else:
        shape = f'<circle r="{size:.1f}" class="{klass}"/>'
    return _point(x, shape)


def _arrow(x: float, right: bool) -> str:
    points = "0,0 -7,-4 -7,4" if right else "0,0 7,-4 7,4"
    return _point(x, f'<polygon points="{points}" class="arrow"/>')


def _point(x: float, shape: str) -> str:
    return f'<svg x="{x:.2f}%" y="50%" overflow="visible">{shape}</svg>'
