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
from publisher.screens.desk import Desk, last_page
from publisher.screens.numbers import forest
from publisher.screens.tables import harms, line, table
from publisher.screens.work import Subject, Work
from publisher.search.sets import Picked

ROWS = 20  # of a page of a panel, where the settings name no other number
CARDS = 16  # of one stance
MARKS = 150  # of a timeline
PLOTTED = 24  # contrasts, and pairs of groups, of forest plots
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
    undrawn: int = 0  # estimates that could be drawn, too


def make(desk: Desk, linker: Linker, name: str, subject: Subject) -> Panel:
    """The panel of this name on this page."""
    known = desk.table("panels").get(name, {})
    kind = str(known.get("kind", "table"))
    page = max(1, subject.pages.get(name, 1))
    query = asked_text(desk, name, known, subject)
    found = fetch(desk, known, kind, subject, query, page)
    if page > found.pages:
        page = found.pages
        found = fetch(desk, known, kind, subject, query, page)
    work = Work(
        desk,
        linker,
        subject,
        found.rows,
        projected(query),
        found.totals,
        found.drawn,
        found.undrawn,
    )
    about = str(known.get("about", "") or desk.table("explained").get(known.get("rows", name), ""))
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
        return Fetched(part, len(rows), last_page(len(rows), size), cut)
    picked = pick(desk, known, subject)
    if kind == "stances":
        return _by_stance(desk, known, subject, picked, page)
    if kind == "forest":
        return _by_result(desk, picked, page, size)
    total = len(picked)
    if kind in WHOLE:
        return Fetched(picked.rows(MARKS), total, cut=total > MARKS)
    return Fetched(picked.rows(size, (page - 1) * size), total, last_page(total, size))


def pick(desk: Desk, known: Mapping[str, Any], subject: Subject) -> Picked:
    """The rows of a set of [rows] that a panel shows: those that match, but for those left out."""

    def iris(sources: Mapping[str, str]) -> dict[str, Iterable[str]]:
        return {variable: wanted(desk, source, subject) for variable, source in sources.items()}

    without = [iris(each) for each in known.get("except", [])]
    return desk.index.sets.pick(str(known["rows"]), iris(known["match"]), without)


def _by_stance(
    desk: Desk, known: Mapping[str, Any], subject: Subject, picked: Picked, page: int
) -> Fetched:
    """A page of each stance; what is said of the subject itself before what is narrower."""
    size = int(known.get("size", CARDS))
    wide = [variable for variable, source in known["match"].items() if source.endswith("*")]
    own = picked.only(**dict.fromkeys(wide, subject.iris)) if wide else None
    rows: list[Row] = []
    totals: dict[str, int] = {}
    for iri in desk.stances:
        mine = picked.only(stance=[iri])
        totals[iri] = len(mine)
        rows += mine.rows(size, (page - 1) * size, own)
    most = max(totals.values(), default=0)
    return Fetched(rows, sum(totals.values()), last_page(most, size), totals=totals)


def _by_result(desk: Desk, picked: Picked, page: int, size: int) -> Fetched:
    """A page of results with all their estimates, and what the plots of all pages draw."""
    results = picked.values("result")
    part = results[(page - 1) * size : page * size]
    rows = picked.only(result=part).rows(MOST)
    pages = last_page(len(results), size)
    if pages == 1:
        return Fetched(rows, len(picked), drawn=rows)
    drawn, undrawn = _drawn(desk, picked)
    return Fetched(rows, len(picked), pages, drawn=drawn, undrawn=undrawn)


def _drawn(desk: Desk, picked: Picked) -> tuple[list[Row], int]:
    """The estimates that plots show (contrasts, and shares of both groups), and how many more."""
    known = desk.table("forest")
    kinds = [c for n in ("ratios", "differences", "unitless") for c in known.get(n, [])]
    contrasts = picked.only(kind=desk.iris(kinds), arm=[desk.iri(str(known.get("contrast", "")))])
    shares = picked.only(
        kind=desk.iris(known.get("shares", [])), arm=desk.iris(list(known.get("arms", {}))[:2])
    )
    drawn = [*contrasts.rows(PLOTTED), *shares.rows(2 * PLOTTED)]
    return drawn, max(0, len(contrasts) - PLOTTED) + max(0, len(shares) - 2 * PLOTTED)


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
        return pick(desk, known, subject).values(variable)
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
