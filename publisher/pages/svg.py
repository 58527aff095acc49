"""Pictures as SVG, made on the server: timeline, bars, neighbourhood.

No style attributes and no scripts: classes of the style sheet colour them. Each has a label, and a
table twin on its page.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

Attribute = str | float | int


def element(name: str, *children: str, **attributes: Attribute) -> str:
    """One element; `klass` is `class`, other underlines become hyphens."""
    pairs = "".join(
        f' {"class" if key == "klass" else key.replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{pairs}>{''.join(children)}</{name}>" if children else f"<{name}{pairs}/>"


def _text(value: Attribute) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def picture(
    width: float,
    height: float,
    label: str,
    *children: str,
    klass: str = "",
    fit: str = "xMinYMin",
    links: bool = False,
) -> Markup:
    """A whole picture that scales with the page; one with links inside is no mere image."""
    role = {} if links else {"role": "img", "aria_label": label}
    drawn = element(
        "svg",
        *children,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_text(width)} {_text(height)}",
        width=width,
        height=height,
        **role,
        preserveAspectRatio=fit,
        klass=f"picture {klass}".strip(),
    )
    return Markup(drawn)  # noqa: S704 - made of escaped parts


def shorten(text: str, most: int) -> str:
    """A text that fits."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


# timeline

LEAST = 320.0  # units of its width


@dataclass(frozen=True)
class Dot:
    """One source in one year; `side` is a class of the style sheet."""

    year: int
    side: str
    label: str
    href: str


_ABOVE = {"for": -1, "against": 1}


def timeline(dots: Sequence[Dot], label: str) -> Markup:
    """Years from left to right; what supports stands above the line, what disputes below."""
    years = [dot.year for dot in dots]
    first, last = min(years), max(years)
    step = max(14.0, min(44.0, 680.0 / (last - first + 1)))
    stacks: dict[tuple[int, int], int] = {}
    placed = []
    for dot in dots:
        way = _ABOVE.get(dot.side, 0)
        lane = -1 if way < 0 else 1
        level = stacks[dot.year, lane] = stacks.get((dot.year, lane), 0) + 1
        placed.append((dot, lane, level))
    up = max((level for _, lane, level in placed if lane < 0), default=0)
    down = max((level for _, lane, level in placed if lane > 0), default=0)
    middle = up * 12 + 14
    # a year or two would be drawn as large as the page is wide
    width = max(step * (last - first + 1) + 20, LEAST)
    parts = [element("line", x1=0, x2=width, y1=middle, y2=middle, klass="axis")]
    for dot, lane, level in placed:
        x = 10 + step * (dot.year - first) + step / 2
        y = middle + lane * (12 * level - 2) + (16 if lane > 0 else 0)
        mark = _mark(dot.side, x, y)
        title = element("title", escape(f"{dot.year}, {dot.label}"))
        parts.append(element("a", element("g", title, mark), href=dot.href))
    every = max(1, math.ceil(34 / step))
    for year in range(first, last + 1, every):
        x = 10 + step * (year - first) + step / 2
        parts.append(element("text", str(year), x=x, y=middle + 13, klass="tick"))
    return picture(width, middle + down * 12 + 26, label, *parts, klass="timeline", links=True)


def _mark(side: str, x: float, y: float) -> str:
    shapes = {
        "for": f"{x - 5:.1f},{y + 4:.1f} {x:.1f},{y - 5:.1f} {x + 5:.1f},{y + 4:.1f}",
        "against": f"{x - 5:.1f},{y - 4:.1f} {x:.1f},{y + 5:.1f} {x + 5:.1f},{y - 4:.1f}",
        "mixed": f"{x - 5:.1f},{y:.1f} {x:.1f},{y - 5:.1f} {x + 5:.1f},{y:.1f} {x:.1f},{y + 5:.1f}",
    }
    if side in shapes:
        return element("polygon", points=shapes[side], klass=f"tone-{side}")
    return element("circle", cx=x, cy=y, r=4, klass="tone-neutral")


def dot_of(side: str) -> Markup:
    """The mark of a side alone, around the origin."""
    return Markup(_mark(side, 0, 0))  # noqa: S704 - a shape of our own


# studies, one by one

MOST_UNITS = 30  # more are drawn as one bar


def units(side: str, studies: int, syntheses: int) -> Markup:
    """A square for each study, a ring for each synthesis; above MOST_UNITS nothing but a bar.

    The numbers stand beside it in words, so that it is hidden from those who listen.
    """
    count = studies + syntheses
    if count > MOST_UNITS:
        parts = [element("rect", x=0, y=1, width=MOST_UNITS * 10 - 2, height=10)]
        count = MOST_UNITS
    else:
        parts = [
            element("rect", x=10 * place, y=2, width=8, height=8)
            if place < studies
            else element("circle", cx=10 * place + 4, cy=6, r=3.25, klass="hollow")
            for place in range(count)
        ]
    drawn = element(
        "svg",
        *parts,
        viewBox=f"0 0 {max(count * 10, 1)} 12",
        width=max(count * 10, 1),
        height=12,
        klass=f"units tone-{side}",
        aria_hidden="true",
        focusable="false",
    )
    return Markup(drawn)  # noqa: S704 - numbers, and a side of our own


# neighbourhood


@dataclass(frozen=True)
class Neighbour:
    """One neighbour: how it is related, and on which side of the middle it stands."""

    label: str
    relation: str
    href: str
    outward: bool


def neighbourhood(middle: str, neighbours: Sequence[Neighbour], label: str) -> Markup:
    """The thing in the middle, what points at it on the left, what it points at on the right."""
    left = [n for n in neighbours if not n.outward]
    right = [n for n in neighbours if n.outward]
    height = max(len(left), len(right), 1) * 34 + 20
    centre = height / 2
    parts = []
    for side, members in ((0, left), (1, right)):
        for place, member in enumerate(members):
            y = centre + (place - (len(members) - 1) / 2) * 34
            x = 540.0 if side else 260.0
            start = 490.0 if side else 310.0
            parts.append(
                element(
                    "path",
                    d=f"M{start:.0f} {centre:.1f} C{(start + x) / 2:.0f} {centre:.1f}"
                    f" {(start + x) / 2:.0f} {y:.1f} {x:.0f} {y:.1f}",
                    klass="edge",
                )
            )
            anchor = "start" if side else "end"
            at = x + 4 if side else x - 4
            name = element(
                "text",
                escape(shorten(member.label, 36)),
                x=at,
                y=y - 1,
                text_anchor=anchor,
                klass="name",
            )
            how = element(
                "text",
                escape(shorten(member.relation, 40)),
                x=at,
                y=y + 11,
                text_anchor=anchor,
                klass="note",
            )
            row = element("g", name, how)
            parts.append(element("a", row, href=member.href) if member.href else row)
    parts.append(element("rect", x=300, y=centre - 20, width=200, height=40, rx=6, klass="middle"))
    parts.append(
        element(
            "text",
            escape(shorten(middle, 30)),
            x=400,
            y=centre + 4,
            text_anchor="middle",
            klass="name",
        )
    )
    return picture(800, height, label, *parts, klass="neighbourhood", links=True)


# bars


@dataclass(frozen=True)
class Bar:
    """One bar of a chart."""

    label: str
    value: float


def bars(found: Sequence[Bar], label: str) -> Markup:
    """Names on the left, bars to the right of them, the number at the end of each."""
    most = max((abs(each.value) for each in found), default=0) or 1
    parts: list[str] = []
    for place, each in enumerate(found):
        y = 22 * place
        wide = 320 * abs(each.value) / most
        parts += (
            element("text", escape(shorten(each.label, 44)), x=0, y=y + 14, klass="name"),
            element("rect", x=290, y=y + 3, width=max(wide, 1), height=14, klass="tone-for"),
            element("text", f"{each.value:g}", x=296 + wide, y=y + 14, klass="value"),
        )
    return picture(720, 22 * len(found) + 4, label, *parts, klass="bars")
