"""The panel of claims: for and against side by side, the claims of one source together."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from publisher.engine.question import Row
from publisher.resource import Link
from publisher.screens.desk import Flag, Stance
from publisher.screens.work import Cells, Work, shortened

OPEN = 2  # claims of one source that are shown at once


@dataclass(frozen=True)
class Card:
    """One claim as people read it; `facts` what it compares, when, and where the source says it."""

    claim: Link
    text: Link
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Bundle:
    """Claims of one source on the same thing."""

    source: Link
    flag: Flag | None
    design: str
    people: str
    elsewhere: Cells
    shown: tuple[Card, ...]
    folded: tuple[Card, ...]


@dataclass(frozen=True)
class Column:
    """One page of the claims of one stance, how many there are, and of how many sources."""

    stance: Stance
    bundles: tuple[Bundle, ...]
    total: int


def stances(work: Work) -> tuple[Column, ...]:
    """`claim stance text type design enrolled comparator outcome months source status ...`.

    Rows come in their order: what is said of the subject itself first, the strongest design first,
    then the newest.
    """
    rows = work.once("claim")
    columns = []
    for iri, stance in work.desk.stances.items():
        mine = [row for row in rows if work.value(row, "stance") == iri]
        columns.append(Column(stance, _bundles(work, mine), work.totals.get(iri, len(mine))))
    return tuple(columns)


def _bundles(work: Work, rows: Sequence[Row]) -> tuple[Bundle, ...]:
    """Neighbours of one source, on the same things, with one head."""
    names = list(work.desk.table("subjects"))
    found = groupby(rows, key=lambda row: [work.value(row, n) for n in ("source", *names)])
    return tuple(_bundle(work, list(group)) for _, group in found)


def _bundle(work: Work, rows: Sequence[Row]) -> Bundle:
    first = rows[0]
    cards = tuple(_card(work, row) for row in rows)
    most = OPEN if len(cards) > OPEN + 1 else len(cards)
    return Bundle(
        source=shortened(work.desk, work.link(first, "source") or Link("source not named")),
        flag=work.flag(first),
        design=work.text(first, "design"),
        people=work.text(first, "enrolled"),
        elsewhere=work.elsewhere(first),
        shown=cards[:most],
        folded=cards[most:],
    )


def _card(work: Work, row: Row) -> Card:
    usual = work.desk.iri(str(work.desk.table("claims").get("usual", "")))
    wording = (
        ("type", "{}"),
        ("comparator", "against {}"),
        ("outcome", "{}"),
        ("months", work.months(row)),
        ("recommendation", "“{}”"),
        ("locator", "{}"),
    )
    return Card(
        claim=work.link(row, "claim") or Link(""),
        text=work.link(row, "text") or Link(""),
        facts=tuple(
            form.format(text)
            for name, form in wording
            if (text := work.text(row, name)) and work.value(row, name) != usual
        ),
    )
