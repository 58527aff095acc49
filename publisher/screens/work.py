"""What panels are made of: a query's rows on the way to tables, cells and cards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from pyoxigraph import Literal, NamedNode

from publisher.engine.question import Row, Term
from publisher.resource import Link, Linker, ResourceView
from publisher.screens.desk import Desk, Flag, Stance


@dataclass(frozen=True)
class Cell:
    """A link or a text, what must be known about it first, small words before and after it.

    A `small` one stands under the first of its table cell.
    """

    link: Link
    flag: Flag | None = None
    stance: Stance | None = None
    lead: str = ""
    after: str = ""
    small: bool = False


Cells = tuple[Cell, ...]
UNNAMED = ("result", "estimate")  # variables that are led to, and not called by name


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    name: str
    word: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """A table of a panel."""

    heads: tuple[Head, ...]
    rows: tuple[tuple[Cells, ...], ...]

    def without_empty(self) -> "Table":
        """The table without the columns in which nothing stands."""
        kept = [
            place
            for place in range(len(self.heads))
            if any(c.link.text or c.stance for row in self.rows for c in row[place])
        ]
        return Table(
            tuple(self.heads[place] for place in kept),
            tuple(tuple(row[place] for place in kept) for row in self.rows),
        )


@dataclass(frozen=True)
class Subject:
    """What a page is about: the terms that its queries leave open, and the page of each panel."""

    terms: Mapping[str, NamedNode | Literal]
    pages: Mapping[str, int] = field(default_factory=dict)
    view: ResourceView | None = None

    def values(self, predicate: str) -> list[str]:
        """The IRIs that a property of the page's subject leads to."""
        triples = self.view.triples if self.view else ()
        return [
            triple.object.value
            for triple in triples
            if triple.predicate.value == predicate and isinstance(triple.object, NamedNode)
        ]

    @cached_property
    def iris(self) -> frozenset[str]:
        """The IRIs among the terms."""
        return frozenset(t.value for t in self.terms.values() if isinstance(t, NamedNode))


@dataclass(frozen=True)
class Work:
    """What a kind of panel is given to show."""

    desk: Desk
    linker: Linker
    subject: Subject
    rows: list[Row]
    names: tuple[str, ...] = ()  # the query's variables, in its order
    totals: Mapping[str, int] = field(default_factory=dict)  # stance → how many in all
    drawn: list[Row] = field(default_factory=list)  # what a picture shows beside the rows
    undrawn: int = 0  # how many more it could show

    @cached_property
    def links(self) -> Mapping[Term, Link]:
        """The links of all terms of the rows; statements are led to, and not called by name."""
        rows = (*self.rows, *self.drawn)
        bare = {*self.desk.table("open"), *UNNAMED}
        named = {t for row in rows for name, t in row.items() if name not in bare}
        unnamed = {t for row in rows for name in bare if (t := row.get(name))} - named
        return self.linker.links(named) | self.linker.unnamed(unnamed)

    def link(self, row: Row, name: str) -> Link | None:
        """The link of a variable; None when it is not bound, or says nothing by the settings."""
        term = row.get(name)
        if term is None or (isinstance(term, NamedNode) and term.value in self.desk.silent):
            return None
        return self.links[term]

    def text(self, row: Row, name: str) -> str:
        """The text of a variable; empty when it is not bound."""
        found = self.link(row, name)
        return found.text if found else ""

    def months(self, row: Row) -> str:
        """How long after, in words; empty when it is not bound."""
        number = self.text(row, "months")
        return f"{number}\u00a0{'month' if number == '1' else 'months'}" if number else ""

    def value(self, row: Row, name: str) -> str:
        """The bare value of a variable: IRI or lexical form."""
        term = row.get(name)
        return term.value if isinstance(term, NamedNode | Literal) else ""

    def number(self, row: Row, name: str) -> float | None:
        """The value of a variable as a number; None when it is none."""
        try:
            return float(self.value(row, name))
        except ValueError:
            return None

    def flag(self, row: Row) -> Flag | None:
        """What must be known of the row's source."""
        return self.desk.flags.get(self.value(row, "status"))

    def source(self, row: Row) -> Cells:
        """The row's source, as short as lists need it."""
        link = self.link(row, "source")
        return (Cell(shortened(self.desk, link), self.flag(row)),) if link else ()

    def elsewhere(self, row: Row) -> Cells:
        """What the row is about, where that is not the page's own subject."""
        leads = self.desk.table("subjects")
        return tuple(
            Cell(link, lead=str(leads[name]), after=self._relation(link.iri), small=True)
            for name in leads
            if (link := self.link(row, name)) and link.iri not in self.subject.iris
        )

    def _relation(self, iri: str) -> str:
        """How a thing stands to the page's own in the hierarchy; empty when it does not."""
        found = (self.desk.relation(own, iri) for own in self.subject.iris)
        return next((word for word in found if word), "")

    def once(self, name: str) -> list[Row]:
        """The rows without those that repeat a variable."""
        return list({str(row.get(name)): row for row in self.rows}.values())


def shortened(desk: Desk, link: Link) -> Link:
    """The label up to the mark that the settings name for its kind; the whole one as a note."""
    mark = desk.short.get(link.kind)
    head, found, _ = link.text.partition(mark) if mark else (link.text, "", "")
    return replace(link, text=head, note=link.text) if found else link


def joined(texts: Sequence[str], between: str = ", ") -> str:
    """The texts that say something."""
    return between.join(text for text in texts if text)
