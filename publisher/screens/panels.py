"""Panels: one query, one way to show its rows. What they ask is in the release, not here.

A panel's kind decides which variables its query must have; the kinds are documented with their
functions, one each, in KINDS.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

from markupsafe import Markup
from pyoxigraph import Literal, NamedNode

from publisher import queries
from publisher.engine.question import Row, Term
from publisher.pages import svg
from publisher.pages.render import words
from publisher.resource import Link, Linker, ResourceView
from publisher.screens.desk import Desk, Flag, Stance

ROWS = 20
CARDS = 12  # of one stance
MARKS = 150  # of a timeline
MOST = 1000  # rows of one query that is asked while somebody waits


@dataclass(frozen=True)
class Cell:
    """One cell of a table: a link or a text, and what must be known about it first."""

    link: Link
    flag: Flag | None = None


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
    rows: tuple[tuple[tuple[Cell, ...], ...], ...]


@dataclass(frozen=True)
class Card:
    """One claim as people read it."""

    claim: Link
    text: Link
    stance: Stance | None
    badges: tuple[Link, ...]
    narrower: tuple[Link, ...]
    facts: tuple[str, ...]
    source: Link
    year: str
    flag: Flag | None
    locator: str
    design: str
    enrolled: str


@dataclass(frozen=True)
class Bundle:
    """Claims of one source on the same thing; the first speaks for what they share."""

    first: Card
    cards: tuple[Card, ...]
    below: bool


@dataclass(frozen=True)
class Column:
    """One page of the claims of one stance, and how many there are."""

    stance: Stance
    bundles: tuple[Bundle, ...]
    total: int


@dataclass(frozen=True)
class ForestGroup:
    """Comparisons that can share an axis."""

    title: str
    note: str
    picture: Markup
    count: int


@dataclass(frozen=True)
class Asked:
    """A query as it was asked: shown under the panel, and runnable."""

    text: str
    about: str
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
    empty: str = ""


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

    @property
    def iris(self) -> frozenset[str]:
        """The IRIs among the terms."""
        return frozenset(t.value for t in self.terms.values() if isinstance(t, NamedNode))


@dataclass(frozen=True)
class Work:
    """What the functions of KINDS are given."""

    desk: Desk
    linker: Linker
    subject: Subject
    rows: list[Row]
    totals: Mapping[str, int] = field(default_factory=dict)  # stance → how many in all
    below: bool = False  # whether the rows are also of what is narrower than the subject

    @cached_property
    def links(self) -> Mapping[Term, Link]:
        """The links of all terms of the rows."""
        return self.linker.links(term for row in self.rows for term in row.values())

    def link(self, row: Row, name: str) -> Link | None:
        """The link of a variable; None when it is not bound."""
        term = row.get(name)
        return None if term is None else self.links[term]

    def text(self, row: Row, name: str) -> str:
        """The text of a variable; empty when it is not bound."""
        found = self.link(row, name)
        return found.text if found else ""

    def value(self, row: Row, name: str) -> str:
        """The bare value of a variable: IRI or lexical form."""
        term = row.get(name)
        return term.value if isinstance(term, NamedNode | Literal) else ""

    def flag(self, row: Row) -> Flag | None:
        """What must be known of the row's source."""
        return self.desk.flags.get(self.value(row, "status"))

    def short(self, link: Link) -> Link:
        """The link with as much of its label as a list needs."""
        return shortened(self.desk, link)


def shortened(desk: Desk, link: Link) -> Link:
    """The label up to the mark that the settings name for its kind; the whole one as a note."""
    mark = desk.short.get(link.kind)
    head, found, _ = link.text.partition(mark) if mark else (link.text, "", "")
    if not found:
        return link
    return Link(head, link.href, link.iri, link.kind, note=link.text, foreign=link.foreign)


def make(desk: Desk, linker: Linker, name: str, subject: Subject) -> Panel:
    """The panel of this name on this page."""
    known = desk.table("panels").get(name, {})
    kind = str(known.get("kind", "table"))
    page = max(1, subject.pages.get(name, 1))
    query = asked_text(desk, name, known, subject)
    fetched = fetch(desk, known, kind, subject, query, page)
    below = any(str(source).endswith("*") for source in known.get("match", {}).values())
    work = Work(desk, linker, subject, fetched.rows, fetched.totals, below)
    return Panel(
        name,
        kind,
        str(known.get("title", words(name))),
        Asked(
            queries.with_prefixes(query, desk.site.names.prefixes.namespaces),
            desk.queries.about(str(known.get("rows", name))),
            fetched.total,
            fetched.cut,
        ),
        KINDS[kind](work) if fetched.rows or fetched.total else None,
        desk.queries.about(str(known.get("rows", name))),
        page,
        fetched.pages,
        str(known.get("empty", "")),
    )


@dataclass(frozen=True)
class Fetched:
    """One page of a panel's rows; `cut`: there are more than are counted or shown."""

    rows: list[Row]
    total: int
    pages: int = 1
    cut: bool = False
    totals: Mapping[str, int] = field(default_factory=dict)


def fetch(
    desk: Desk, known: Mapping[str, Any], kind: str, subject: Subject, query: str, page: int
) -> Fetched:
    """A page of rows: from what the build kept where it is kept, else from the engine."""
    if "rows" not in known:
        rows = desk.site.engine.select(f"{query}\nLIMIT {MOST + 1}")
        if kind in WHOLE:
            return Fetched(rows[:MOST], len(rows), cut=len(rows) > MOST)
        part = rows[(page - 1) * ROWS : page * ROWS]
        return Fetched(part, len(rows), max(1, -(-len(rows) // ROWS)), len(rows) > MOST)
    of, matches = str(known["rows"]), picked_by(desk, known, subject)
    if kind == "stances":
        return _by_stance(desk, of, matches, subject, page)
    total = desk.index.count(of, matches)
    if kind in WHOLE:
        return Fetched(desk.index.picked(of, matches, MARKS), total, cut=total > MARKS)
    rows = desk.index.picked(of, matches, ROWS, (page - 1) * ROWS)
    return Fetched(rows, total, max(1, -(-total // ROWS)))


def _by_stance(
    desk: Desk, of: str, matches: Mapping[str, Iterable[str]], subject: Subject, page: int
) -> Fetched:
    """A page of each stance; what is said of the subject itself before what is narrower."""
    rows: list[Row] = []
    totals: dict[str, int] = {}
    own = {v: set(iris) & subject.iris for v, iris in matches.items()}
    first = own if all(own.values()) else None
    for iri in desk.stances:
        wanted_rows = {**matches, "stance": [iri]}
        totals[iri] = desk.index.count(of, wanted_rows)
        rows += desk.index.picked(of, wanted_rows, CARDS, (page - 1) * CARDS, first)
    most = max(totals.values(), default=0)
    return Fetched(rows, sum(totals.values()), max(1, -(-most // CARDS)), totals=totals)


def picked_by(desk: Desk, known: Mapping[str, Any], subject: Subject) -> dict[str, tuple[str, ...]]:
    """Variable → the IRIs that it may have on this page."""
    return {
        variable: tuple(wanted(desk, source, subject))
        for variable, source in known["match"].items()
    }


def asked_text(desk: Desk, name: str, known: Mapping[str, Any], subject: Subject) -> str:
    """The panel's query with everything bound: the set's query and what must match, or its own."""
    if "rows" not in known:
        return queries.bind(desk.queries[name], subject.terms)
    matches = known.get("match", {})
    where = str(known.get("where", "")) or "\n  ".join(
        f"?{variable} skos:broader* ?{source.removesuffix('*')} ."
        for variable, source in matches.items()
    )
    text = desk.queries[str(known["rows"])].replace("WHERE {\n", f"WHERE {{\n  {where}\n", 1)
    return queries.bind(text, subject.terms)


def wanted(desk: Desk, source: str, subject: Subject) -> Iterable[str]:
    """The IRIs that a match allows.

    `this` a term of the page; `this*` that and what is narrower; `panel.variable` what another
    panel of the page found; `prefix:name` the values of a property of the page's subject.
    """
    if ":" in source:
        return subject.values(desk.iri(source))
    panel, dot, variable = source.partition(".")
    if dot:
        known = desk.table("panels").get(panel, {})
        if "rows" in known:
            matches = picked_by(desk, known, subject)
            return desk.index.values(str(known["rows"]), matches, variable)
        query = asked_text(desk, panel, known, subject)
        rows = desk.site.engine.select(f"{query}\nLIMIT {MOST}")
        terms = {row.get(variable) for row in rows}
        return sorted(term.value for term in terms if isinstance(term, NamedNode))
    term = subject.terms[source.removesuffix("*")]
    return desk.below(term.value) if source.endswith("*") else [term.value]


# table: every projected variable is a column


def table(work: Work) -> Table:
    """Rows as they come. Columns that say nothing new are left out.

    A variable of [open] leads to the row's statement; `source` carries the flag of `status`;
    `used...` is shown only where it is not the page's own subject.
    """
    opened = work.desk.table("open")
    wording = work.desk.table("columns")
    names = list(dict.fromkeys(name for row in work.rows for name in row))
    names = [n for n in _in_order(work, names) if n != "status" and _says_something(work, n)]
    heads, columns = [], []
    for name in names:
        word = "" if name in opened else str(wording.get(name, words(name)))
        cells = [_cells(work, row, name, str(opened.get(name, ""))) for row in work.rows]
        numeric = all(c.link.numeric for group in cells for c in group)
        heads.append(Head(name, word, numeric))
        columns.append(cells)
    return Table(tuple(heads), tuple(zip(*columns, strict=True)))


def _in_order(work: Work, names: Sequence[str]) -> list[str]:
    """Statement links last."""
    opened = work.desk.table("open")
    return [n for n in names if n not in opened] + [n for n in names if n in opened]


def _says_something(work: Work, name: str) -> bool:
    if not name.startswith("used"):
        return True
    return any(work.value(row, name) not in ("", *work.subject.iris) for row in work.rows)


def _cells(work: Work, row: Row, name: str, opened: str) -> tuple[Cell, ...]:
    link = work.link(row, name)
    if link is None:
        return ()
    if opened:
        return (Cell(Link(opened, link.href, link.iri, note=link.text)),)
    return (Cell(work.short(link), work.flag(row) if name == "source" else None),)


# harms: a table whose first columns are the event and how often out of how many


def harms(work: Work) -> Table:
    """`event numerator denominator value unit basis printed months ...`: frequency in one cell."""
    heads = [Head("event", "event"), Head("frequency", "how often"), Head("share", "share", True)]
    heads += [Head("months", "follow-up", True), Head("seriousness", "seriousness and cause")]
    heads += [Head("text", "in words"), Head("source", "source")]
    rows = []
    for row in work.rows:
        event = work.link(row, "event") or Link("event not named")
        cause = [work.text(row, name) for name in ("seriousness", "relatedness")]
        cause = [text for text in cause if text and not text.endswith("not stated")]
        source = work.link(row, "source")
        months = work.text(row, "months")
        narrower = _narrower(work, row)
        text = work.link(row, "text") or Link("")
        harm = work.link(row, "harm")
        rows.append(
            (
                (Cell(event),),
                (Cell(Link(_frequency(work, row))),),
                (Cell(Link(_share(work, row), numeric=True)),),
                (Cell(Link(f"{months} months" if months else "", numeric=True)),),
                (Cell(Link(", ".join(cause))),),
                (
                    Cell(Link(text.text, harm.href if harm else "", language=text.language)),
                    *(Cell(each) for each in narrower),
                ),
                (Cell(work.short(source), work.flag(row)),) if source else (),
            )
        )
    return _without_empty(heads, rows)


def _without_empty(heads: Sequence[Head], rows: Sequence[tuple[tuple[Cell, ...], ...]]) -> Table:
    """The table without the columns in which nothing stands."""
    kept = [i for i in range(len(heads)) if any(c.link.text for row in rows for c in row[i])]
    return Table(tuple(heads[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in rows))


def _frequency(work: Work, row: Row) -> str:
    numerator, denominator = work.value(row, "numerator"), work.value(row, "denominator")
    basis = work.text(row, "basis")
    if numerator and denominator:
        return (
            f"{numerator} of {denominator} ({basis})" if basis else f"{numerator} of {denominator}"
        )
    if numerator:
        return f"{numerator} {basis}, denominator not recorded"
    return work.value(row, "printed") or "no number"


def _share(work: Work, row: Row) -> str:
    """Per cent as printed, else of the two counts; empty when neither is known."""
    value, unit = work.value(row, "value"), work.value(row, "unit")
    if value and unit == "%":
        return f"{value} %"
    numerator, denominator = work.value(row, "numerator"), work.value(row, "denominator")
    if numerator.isdigit() and denominator.isdigit() and int(denominator):
        return f"{100 * int(numerator) / int(denominator):.1f} %"
    return ""


def _narrower(work: Work, row: Row) -> tuple[Link, ...]:
    """What the row is about, where that is not the page's own subject."""
    found = (work.link(row, name) for name in ("usedTherapy", "usedCondition"))
    return tuple(each for each in found if each and each.iri not in work.subject.iris)


# stances: claims, for and against side by side


def stances(work: Work) -> tuple[Column, ...]:
    """`claim stance text type design enrolled comparator outcome months source year status ...`.

    Rows come in their order: what is said of the subject itself first, the strongest design first,
    then the newest. Claims of one source stand together.
    """
    rows = _once(work.rows, "claim")
    columns = []
    for iri, stance in work.desk.stances.items():
        mine = tuple(_card(work, row) for row in rows if work.value(row, "stance") == iri)
        total = work.totals.get(iri, len(mine))
        columns.append(Column(stance, _bundles(mine, work.below), total))
    return tuple(columns)


def _bundles(cards: Sequence[Card], below: bool) -> tuple[Bundle, ...]:
    """Neighbours of one source, on the same narrower things, with one head."""
    found = groupby(cards, key=lambda c: (c.source.iri, [n.iri for n in c.narrower]))
    return tuple(
        Bundle(members[0], members, below) for _, group in found if (members := tuple(group))
    )


def _card(work: Work, row: Row) -> Card:
    badges = tuple(link for name in ("type",) if (link := work.link(row, name)))
    return Card(
        claim=work.link(row, "claim") or Link(""),
        text=work.link(row, "text") or Link(""),
        stance=work.desk.stances.get(work.value(row, "stance")),
        badges=badges,
        narrower=_narrower(work, row),
        facts=tuple(_claim_facts(work, row)),
        source=work.short(work.link(row, "source") or Link("")),
        year=work.value(row, "year"),
        flag=work.flag(row),
        locator=work.value(row, "locator"),
        design=work.text(row, "design"),
        enrolled=work.text(row, "enrolled"),
    )


def _claim_facts(work: Work, row: Row) -> list[str]:
    wording = (
        ("comparator", "against {}"),
        ("outcome", "{}"),
        ("months", "{} months"),
        ("recommendation", "“{}”"),
    )
    return [form.format(text) for name, form in wording if (text := work.text(row, name))]


# forest: numbers with intervals; those that can share an axis together


@dataclass(frozen=True)
class Forest:
    """Pictures of the comparisons, and every number as a table."""

    groups: tuple[ForestGroup, ...]
    table: Table


def forest(work: Work) -> Forest:
    """`estimate kind value low high outcome outcomeText months arm better unit source ...`."""
    known = work.desk.table("forest")
    ratios = set(work.desk.iris(known.get("ratios", [])))
    differences = set(work.desk.iris(known.get("differences", [])))
    contrast = work.desk.iri(str(known.get("contrast", "")))
    grouped: dict[tuple[str, ...], list[Row]] = {}
    for row in _once(work.rows, "estimate"):
        kind = work.value(row, "kind")
        if work.value(row, "arm") != contrast or not _number(work, row, "value"):
            continue
        if kind in ratios:
            grouped.setdefault((kind, work.value(row, "better"), "", ""), []).append(row)
        elif kind in differences:
            scale = work.value(row, "outcome"), work.value(row, "unit")
            grouped.setdefault((kind, work.value(row, "better"), *scale), []).append(row)
    ordered = sorted(grouped.items(), key=lambda pair: -len(pair[1]))
    groups = tuple(_forest_group(work, key, rows, key[0] in ratios) for key, rows in ordered)
    return Forest(groups, _numbers(work))


def _once(rows: Sequence[Row], name: str) -> list[Row]:
    return list({str(row.get(name)): row for row in rows}.values())


def _number(work: Work, row: Row, name: str) -> bool:
    try:
        float(work.value(row, name))
    except ValueError:
        return False
    return True


def _forest_group(work: Work, key: tuple[str, ...], rows: list[Row], ratio: bool) -> ForestGroup:
    first = rows[0]
    better = key[1]
    known = work.desk.table("forest")
    below = above = ""
    if better == work.desk.iri(str(known.get("lower", ""))):
        below = "← better"
    elif better == work.desk.iri(str(known.get("higher", ""))):
        above = "better →"
    title = work.text(first, "kind")
    note = [] if ratio else [work.text(first, "outcome"), _unit(work.value(first, "unit"))]
    note += [work.text(first, "better")]
    lines = [_line(work, row) for row in rows]
    label = f"{title}: {', '.join(line.shown for line in lines)}"
    drawn = svg.forest(lines, ratio=ratio, label=label, below=below, above=above)
    return ForestGroup(title, ", ".join(t for t in note if t), drawn, len(rows))


def _unit(unit: str) -> str:
    return unit.strip("{}")


def _line(work: Work, row: Row) -> svg.Line:
    source = work.short(work.link(row, "source") or Link("source not named"))
    outcome = work.text(row, "outcomeText") or work.text(row, "outcome")
    months = work.text(row, "months")
    note = [f"{months} mo" if months else "", outcome]
    interval = _number(work, row, "low") and _number(work, row, "high")
    result = work.link(row, "result")
    return svg.Line(
        label=source.text,
        note=", ".join(t for t in note if t),
        shown=_shown(work, row),
        value=float(work.value(row, "value")),
        low=float(work.value(row, "low")) if interval else None,
        high=float(work.value(row, "high")) if interval else None,
        href=result.href if result else "",
    )


def _shown(work: Work, row: Row) -> str:
    value, low, high = (work.value(row, n).replace("-", "−") for n in ("value", "low", "high"))
    return f"{value} ({low} to {high})" if low and high else value or work.value(row, "printed")


def _numbers(work: Work) -> Table:
    """Every number, one row each: the table twin of the pictures."""
    heads = [Head("outcome", "outcome"), Head("months", "months", True)]
    heads += [Head("arm", "group"), Head("kind", "kind of number"), Head("value", "value", True)]
    heads += [Head("n", "n", True), Head("p", "p", True), Head("comparator", "against")]
    heads += [Head("source", "source")]
    rows = []
    for row in _once(work.rows, "estimate"):
        result = work.link(row, "result")
        outcome = work.text(row, "outcomeText") or work.text(row, "outcome")
        source = work.link(row, "source")
        unit = _unit(work.value(row, "unit"))
        value = _shown(work, row)
        counts = [work.value(row, n) for n in ("numerator", "denominator")]
        comparator = work.text(row, "comparator")
        rows.append(
            (
                (
                    Cell(Link(outcome, result.href if result else "")),
                    *(Cell(each) for each in _narrower(work, row)),
                ),
                (Cell(Link(work.text(row, "months"), numeric=True)),),
                (Cell(Link(work.text(row, "arm"))),),
                (Cell(Link(work.text(row, "kind"))),),
                (Cell(Link(f"{value} {unit}".strip(), numeric=True)),),
                (Cell(Link(" of ".join(c for c in counts if c), numeric=True)),),
                (Cell(Link(_p(work, row), numeric=True)),),
                (Cell(Link(comparator)),),
                (Cell(work.short(source), work.flag(row)),) if source else (),
            )
        )
    return _without_empty(heads, rows)


def _p(work: Work, row: Row) -> str:
    value = work.value(row, "p")
    marks = work.desk.table("forest").get("bounds", {})
    mark = str(marks.get(work.desk.compact(work.value(row, "pRelation")), ""))
    return f"{mark} {value}".strip() if value else ""


# timeline: sources by year and stance


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
        if not (stance and source and year.isdigit()) or (source.iri, stance.name) in seen:
            continue
        seen.add((source.iri, stance.name))
        source = work.short(source)
        dots.append(svg.Dot(int(year), stance.side, source.text, source.href))
        rows.append(
            ((Cell(Link(year, numeric=True)),), (Cell(Link(stance.name)),), (Cell(source),))
        )
    if not dots:
        return None
    heads = (Head("year", "year", True), Head("stance", "stance"), Head("source", "source"))
    label = f"Timeline of {len(dots)} marks from {rows[0][0][0].link.text} on"
    return Timeline(svg.timeline(dots, label), Table(heads, tuple(rows)))


# flags: what happened to a source


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


# tree: the way down to the page's subject, and what is directly below it


@dataclass(frozen=True)
class Branch:
    """One node of a tree; `here` is the page's subject."""

    link: Link
    here: bool
    children: tuple["Branch", ...]


def tree(work: Work) -> tuple[Branch, ...]:
    """`item parent`: edges of the hierarchy above the subject and just below it."""
    children: dict[str, list[str]] = {}
    links: dict[str, Link] = {}
    parents = set()
    for row in work.rows:
        item, parent = work.link(row, "item"), work.link(row, "parent")
        if item and parent:
            children.setdefault(parent.iri, []).append(item.iri)
            links |= {item.iri: item, parent.iri: parent}
            parents.add(item.iri)
    subject = work.subject.iris

    shown: set[str] = set()

    def branch(iri: str, above: frozenset[str]) -> Branch:
        if iri in shown and iri in subject:
            return Branch(links[iri], True, ())
        shown.add(iri)
        below = sorted(set(children.get(iri, ())) - above, key=lambda c: links[c].text.lower())
        nodes = tuple(branch(child, above | {iri}) for child in below)
        return Branch(links[iri], iri in subject, nodes)

    roots = sorted(set(links) - parents, key=lambda iri: links[iri].text.lower())
    return tuple(branch(root, frozenset()) for root in roots)


KINDS: Mapping[str, Callable[[Work], Any]] = {
    "table": table,
    "harms": harms,
    "stances": stances,
    "forest": forest,
    "timeline": timeline,
    "flags": flags,
    "tree": tree,
}
WHOLE = frozenset({"stances", "timeline", "flags", "tree"})  # shown on one page, up to MOST rows
