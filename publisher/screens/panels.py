"""Panels: one query, one way to show its rows. What they ask is in the release, not here.

A panel's kind decides which variables its query must have; the kinds are documented with their
functions, one each, in KINDS.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyoxigraph import NamedNode

from publisher import queries
from publisher.engine.question import Row
from publisher.pages.render import words
from publisher.resource import Linker
from publisher.screens.claims import stances
from publisher.screens.course import flags, timeline, tree
from publisher.screens.desk import Desk
from publisher.screens.numbers import forest
from publisher.screens.tables import harms, line, table
from publisher.screens.work import Subject, Work

ROWS = 20  # of a page of a panel, where the settings name no other number
CARDS = 12  # of one stance
MARKS = 150  # of a picture
MOST = 1000  # rows of one query that is asked while somebody waits


@dataclass(frozen=True)
class Asked:
    """A query as it was asked: shown under the panel, and runnable; `found` rows are its answer."""

    text: str
    found: int
    more: bool


@dataclass(frozen=True)
class Panel:
    """One panel of a page. `content` is what its kind's template reads; None shows nothing."""

    name: str
    kind: str
    title: str
    asked: Asked | None = None
    content: Any = None
    about: str = ""
    page: int = 1
    pages: int = 1


@dataclass(frozen=True)
class Fetched:
    """One page of a panel's rows; `cut`: there are more than are counted or shown."""

    rows: list[Row]
    total: int
    pages: int = 1
    cut: bool = False
    totals: Mapping[str, int] = field(default_factory=dict)
    drawn: list[Row] = field(default_factory=list)


def make(desk: Desk, linker: Linker, name: str, subject: Subject) -> Panel:
    """The panel of this name on this page."""
    known = desk.table("panels").get(name, {})
    kind = str(known.get("kind", "table"))
    page = max(1, subject.pages.get(name, 1))
    query = asked_text(desk, name, known, subject)
    found = fetch(desk, known, kind, subject, query, page)
    work = Work(
        desk, linker, subject, found.rows, projected(query), found.totals, drawn=found.drawn
    )
    about = str(known.get("about", "")) or desk.queries.about(str(known.get("rows", name)))
    return Panel(
        name,
        kind,
        str(known.get("title", words(name))),
        Asked(
            queries.with_prefixes(query, desk.site.names.prefixes.namespaces),
            found.total,
            found.cut,
        ),
        KINDS[kind](work) if found.rows or found.total else None,
        about,
        page,
        found.pages,
    )


def projected(query: str) -> tuple[str, ...]:
    """The variables that a query projects, in its order.

    >>> projected("# why ?x\\nSELECT DISTINCT ?a (MIN(?y) AS ?b)\\nWHERE { ?a ?p ?y }")
    ('a', 'b')
    """
    bare = "\n".join(line for line in query.splitlines() if not line.startswith("#"))
    head = re.split(r"\bWHERE\b|\{", bare, maxsplit=1)[0]
    return tuple(re.findall(r"\?(\w+)", re.sub(r"\([^?]*\(.*?\)\s+AS\s+(\?\w+)\)", r"\1", head)))


# rows


def fetch(
    desk: Desk, known: Mapping[str, Any], kind: str, subject: Subject, query: str, page: int
) -> Fetched:
    """A page of rows: from what the build kept where it is kept, else from the engine."""
    size = int(known.get("size", ROWS))
    if "rows" not in known:
        rows = desk.site.engine.select(f"{query}\nLIMIT {MOST + 1}")
        cut = len(rows) > MOST
        if kind in WHOLE:
            return Fetched(rows[:MOST], len(rows), cut=cut)
        part = rows[(page - 1) * size : page * size]
        return Fetched(part, len(rows), _pages(len(rows), size), cut)
    picked = Picked(desk, known, subject)
    if kind == "stances":
        return _by_stance(picked, page, int(known.get("size", CARDS)))
    if kind == "forest":
        return _by_result(picked, page, size)
    total = picked.count()
    if kind in WHOLE:
        return Fetched(picked.rows(MARKS), total, cut=total > MARKS)
    return Fetched(picked.rows(size, (page - 1) * size), total, _pages(total, size))


def _pages(total: int, each: int) -> int:
    return max(1, -(-total // each))


class Picked:
    """The rows of a set of [rows] that a panel picks: those that match, but for those left out."""

    def __init__(self, desk: Desk, known: Mapping[str, Any], subject: Subject) -> None:
        self.desk, self.subject = desk, subject
        self.of = str(known["rows"])
        self.matches = self._iris(known["match"])
        self.without = [self._iris(each) for each in known.get("except", [])]

    def _iris(self, sources: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """Variable → the IRIs that it may have on this page."""
        return {v: tuple(wanted(self.desk, s, self.subject)) for v, s in sources.items()}

    def count(self, **more: Iterable[str]) -> int:
        """How many rows there are, of those that also match `more`."""
        return self.desk.index.count(self.of, {**self.matches, **more}, self.without)

    def rows(
        self,
        limit: int,
        offset: int = 0,
        first: Mapping[str, Iterable[str]] | None = None,
        **more: Iterable[str],
    ) -> list[Row]:
        """A part of them, those that match `first` before the others."""
        matches = {**self.matches, **more}
        return self.desk.index.picked(self.of, matches, limit, offset, first, self.without)


def _by_stance(picked: Picked, page: int, cards: int) -> Fetched:
    """A page of each stance; what is said of the subject itself before what is narrower."""
    rows: list[Row] = []
    own = {v: set(iris) & picked.subject.iris for v, iris in picked.matches.items()}
    first = own if all(own.values()) else None
    totals = {iri: picked.count(stance=[iri]) for iri in picked.desk.stances}
    for iri, total in totals.items():
        if total:
            rows += picked.rows(cards, (page - 1) * cards, first, stance=[iri])
    most = max(totals.values(), default=0)
    return Fetched(rows, sum(totals.values()), _pages(most, cards), totals=totals)


def _by_result(picked: Picked, page: int, size: int) -> Fetched:
    """A page of results with all their estimates, and what the plots of all pages draw."""
    results, total = picked.desk.index.heads(
        picked.of, picked.matches, "result", size, (page - 1) * size
    )
    rows = picked.rows(MOST, result=results) if results else []
    pages = _pages(total, size)
    drawn = rows if pages == 1 else _drawn(picked)
    return Fetched(rows, picked.count(), pages, drawn=drawn)


def _drawn(picked: Picked) -> list[Row]:
    """The estimates that plots show: contrasts, and shares of both groups."""
    desk = picked.desk
    known = desk.table("forest")
    kinds = [c for n in ("ratios", "differences", "unitless") for c in known.get(n, [])]
    contrast = [str(known.get("contrast", ""))]
    shares = list(known.get("shares", []))
    arms = list(known.get("arms", {}))[:2]
    return [
        *picked.rows(MARKS, kind=desk.iris(kinds), arm=desk.iris(contrast)),
        *picked.rows(2 * MARKS, kind=desk.iris(shares), arm=desk.iris(arms)),
    ]


def asked_text(desk: Desk, name: str, known: Mapping[str, Any], subject: Subject) -> str:
    """The panel's query with everything bound: the set's query and what must match, or its own."""
    if "rows" not in known:
        return queries.bind(desk.queries[name], subject.terms)
    matches = known.get("match", {})
    where = str(known.get("where", "")).strip() or "\n  ".join(
        f"?{variable} skos:broader* ?{source.removesuffix('*')} ."
        for variable, source in matches.items()
    )
    text = within(desk.queries[str(known["rows"])], where, list(matches))
    return queries.bind(text, subject.terms)


def within(query: str, where: str, bound: Sequence[str]) -> str:
    """The query, only for rows in which these variables are bound, and bound as `where` says.

    What the query says stands in a group of its own: its OPTIONALs must not meet variables that
    `where` has bound already.

    >>> print(within("SELECT ?a\\nWHERE {\\n  ?a ?p ?b\\n}\\nORDER BY ?a", "?a a ?this .", ["a"]))
    SELECT ?a
    WHERE {
      ?a a ?this .
      {
      ?a ?p ?b
      FILTER(BOUND(?a))
      }
    }
    ORDER BY ?a
    """
    head, _, rest = query.partition("WHERE {\n")
    body, _, tail = rest.rpartition("\n}")
    condition = " && ".join(f"BOUND(?{name})" for name in bound)
    group = f"  {{\n{body}\n  FILTER({condition})\n  }}"
    return f"{head}WHERE {{\n  {where}\n{group}\n}}{tail}"


def wanted(desk: Desk, source: str, subject: Subject) -> Iterable[str]:
    """The IRIs that a match allows.

    `this` a term of the page; `this*` that and what is narrower; `this~` that, what is narrower,
    broader or related; `panel.variable` what another panel of the page found; `prefix:name` the
    values of a property of the page's subject.
    """
    if ":" in source:
        return subject.values(desk.iri(source))
    panel, dot, variable = source.partition(".")
    if dot:
        return _found_by(desk, panel, variable, subject)
    term = subject.terms[source.rstrip("*~")]
    if source.endswith("*"):
        return desk.below(term.value)
    return desk.near(term.value) if source.endswith("~") else [term.value]


def _found_by(desk: Desk, panel: str, variable: str, subject: Subject) -> Iterable[str]:
    known = desk.table("panels").get(panel, {})
    if "rows" in known:
        picked = Picked(desk, known, subject)
        return desk.index.values(picked.of, picked.matches, variable)
    query = asked_text(desk, panel, known, subject)
    rows = desk.site.engine.select(f"{query}\nLIMIT {MOST}")
    terms = {row.get(variable) for row in rows}
    return sorted(term.value for term in terms if isinstance(term, NamedNode))


KINDS: Mapping[str, Callable[[Work], Any]] = {
    "table": table,
    "line": line,
    "harms": harms,
    "stances": stances,
    "forest": forest,
    "timeline": timeline,
    "flags": flags,
    "tree": tree,
}
WHOLE = frozenset(
    {"line", "timeline", "flags", "tree"}
)  # shown on one page, up to MARKS or MOST rows
