"""Panels of how things lie and lay: timeline, hierarchy, what became of a source."""

from dataclasses import dataclass

from markupsafe import Markup

from publisher.pages import svg
from publisher.protocol.values import whole
from publisher.resource import Link
from publisher.screens.desk import Flag
from publisher.screens.work import Cell, Head, Table, Work, shortened


@dataclass(frozen=True)
class Timeline:
    """The picture and its table twin."""

    picture: Markup
    table: Table


def timeline(work: Work) -> Timeline | None:
    """`source year stance`: one mark for each source and stance."""
    dots, rows, seen = [], [], set()
    for row in reversed(work.rows):
        stance, source = work.desk.stances.get(work.value(row, "stance")), work.link(row, "source")
        year = work.value(row, "year")[:4]
        at = whole(year)
        if not (stance and source and at is not None) or (source.iri, stance.name) in seen:
            continue
        seen.add((source.iri, stance.name))
        short = shortened(work.desk, source)
        dots.append(svg.Dot(at, stance.side, f"{stance.name}: {short.text}", short.href))
        rows.append(
            (
                (Cell(Link(year, numeric=True)),),
                (Cell(Link(stance.name), stance=stance),),
                (Cell(short, work.flag(row)),),
            )
        )
    if not dots:
        return None
    heads = (Head("year", "year", True), Head("stance", "stance"), Head("source", "source"))
    label = f"Timeline of {len(dots)} marks from {rows[0][0][0].link.text} on"
    return Timeline(svg.timeline(dots, label), Table(heads, tuple(reversed(rows))))


@dataclass(frozen=True)
class Notice:
    """One flag of this source, and the source that it comes from."""

    flag: Flag
    other: Link | None


def flags(work: Work) -> tuple[Notice, ...]:
    """`flag other`: only what the settings list as a flag."""
    return tuple(
        Notice(flag, work.link(row, "other"))
        for row in work.rows
        if (flag := work.desk.flags.get(work.value(row, "flag")))
    )


@dataclass(frozen=True)
class Place:
    """Where a thing stands: each way down to it, and what is directly narrower."""

    ways: tuple[tuple[Link, ...], ...]
    narrower: tuple[Link, ...]


MOST_WAYS = 6


def tree(work: Work) -> Place:
    """`item parent`: edges of the hierarchy above the subject and just below it."""
    parents: dict[str, list[str]] = {}
    links: dict[str, Link] = {}
    for row in work.rows:
        item, parent = work.link(row, "item"), work.link(row, "parent")
        if item and parent:
            parents.setdefault(item.iri, []).append(parent.iri)
            links |= {item.iri: item, parent.iri: parent}

    def ways(iri: str, seen: frozenset[str]) -> list[tuple[str, ...]]:
        above = [each for each in parents.get(iri, ()) if each not in seen]
        if not above:
            return [(iri,)]
        return [(*way, iri) for each in above for way in ways(each, seen | {iri})]

    own = next((iri for iri in work.subject.iris if iri in links), "")
    found = sorted(way[:-1] for way in ways(own, frozenset()) if len(way) > 1) if own else []
    below = [iri for iri, above in parents.items() if own in above]
    return Place(
        tuple(tuple(links[iri] for iri in way) for way in found[:MOST_WAYS]),
        tuple(sorted((links[iri] for iri in below), key=lambda link: link.text.lower())),
    )
