"""Kinds of panels of rows: a table, a line of names, harms with how often out of how many."""

from collections.abc import Sequence

from publisher.engine.question import Row
from publisher.pages.render import words
from publisher.protocol.values import whole
from publisher.resource import Link
from publisher.screens.work import Cell, Cells, Head, Table, Work, joined

TEXT = "text"  # the variable that says a row in words


def table(work: Work) -> Table:
    """Every projected variable is a column, in the query's order; what says nothing new is not.

    A variable of [open] leads to the row's statement: it makes the text a link, or is a column of
    its own where there is no text. Variables of [subjects] stand under the text. `source` carries
    the flag of `status`; a stance is its mark.
    """
    opened, wording = work.desk.table("open"), work.desk.table("columns")
    folded = _folded(work)
    heads, columns = [], []
    for name in work.names:
        if name == "status" or name in folded or not _says_something(work, name):
            continue
        cells = [_cells(work, row, name) for row in work.rows]
        numeric = all(c.link.numeric for group in cells for c in group if not c.small)
        word = "" if name in opened else str(wording.get(name, words(name)))
        heads.append(Head(name, word, numeric))
        columns.append(cells)
    return Table(tuple(heads), tuple(zip(*columns, strict=True))).without_empty()


def _folded(work: Work) -> frozenset[str]:
    """The variables that stand in the cell of the text, where there is one."""
    if TEXT not in work.names:
        return frozenset()
    return frozenset(n for n in work.names if n in {*work.desk.table("open"), *_subjects(work)})


def _subjects(work: Work) -> Sequence[str]:
    return list(work.desk.table("subjects"))


def _says_something(work: Work, name: str) -> bool:
    if name not in _subjects(work):
        return True
    return any(work.value(row, name) not in ("", *work.subject.iris) for row in work.rows)


def _cells(work: Work, row: Row, name: str) -> Cells:
    if name == TEXT:
        return worded(work, row)
    if name == "source":
        return work.source(row)
    link = work.link(row, name)
    if link is None:
        return ()
    word = work.desk.table("open").get(name)
    if word:
        return (Cell(Link(str(word), link.href, link.iri, note=link.text)),)
    return (Cell(link, stance=work.desk.stances.get(link.iri)),)


def worded(work: Work, row: Row) -> Cells:
    """The text of a row, leading to its statement, and under it what it is about."""
    text = work.link(row, TEXT) or Link("")
    statements = (work.link(row, name) for name in work.desk.table("open"))
    href = next((each.href for each in statements if each), "")
    return (Cell(Link(text.text, href, language=text.language)), *work.elsewhere(row))


def line(work: Work) -> Cells:
    """`name`: names one after the other, in the query's order."""
    return tuple(Cell(link) for row in work.rows if (link := work.link(row, "name")))


def harms(work: Work) -> Table:
    """`event numerator denominator value unit basis printed months ...`: frequency in one cell."""
    heads = (
        Head("event", "event"),
        Head("share", "share", True),
        Head("frequency", "how often"),
        Head("months", "follow-up", True),
        Head("seriousness", "seriousness and cause"),
        Head(TEXT, "in words"),
        Head("source", "source"),
    )
    rows = tuple(
        (
            (Cell(work.link(row, "event") or Link("event not named")),),
            (Cell(Link(_share(work, row), numeric=True)),),
            (Cell(Link(_frequency(work, row))),),
            (Cell(Link(work.months(row), numeric=True)),),
            (Cell(Link(_cause(work, row))),),
            worded(work, row),
            work.source(row),
        )
        for row in work.rows
    )
    return Table(heads, rows).without_empty()


def _frequency(work: Work, row: Row) -> str:
    numerator, denominator = work.value(row, "numerator"), work.value(row, "denominator")
    basis = work.text(row, "basis")
    if numerator and denominator:
        told = f"{numerator} of {denominator}"
        return f"{told} ({basis})" if basis else told
    if numerator:
        return joined((joined((numerator, basis), " "), "out of how many is not recorded"))
    printed = work.value(row, "printed")
    return printed if printed and not _share(work, row) else ""


def _share(work: Work, row: Row) -> str:
    """Per cent as printed, else of the two counts; empty when neither is known."""
    value, unit = work.value(row, "value"), work.value(row, "unit")
    if value and unit == "%":
        return percent(value)
    part, of = whole(work.value(row, "numerator")), whole(work.value(row, "denominator"))
    if part is not None and of:
        return percent(f"{100 * part / of:.1f}".removesuffix(".0"))
    return ""


def percent(value: str) -> str:
    """A share for people, never broken over two lines.

    >>> percent("17.6")
    '17.6\\u202f%'
    """
    return f"{value}\u202f%"


def _cause(work: Work, row: Row) -> str:
    return joined([work.text(row, name) for name in ("seriousness", "relatedness")])
