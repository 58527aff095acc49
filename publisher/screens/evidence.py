"""`/matrix`: the evidence map as a table, and the same view as CSV, JSON or Turtle."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from publisher import matrix
from publisher.errors import BadRequest, NotFound
from publisher.formats import BY_NAME, HTML, Choice, Format, negotiate
from publisher.matrix import AGAINST, FOR, MIXED, SIDES, Cell, Filters, View
from publisher.protocol.resources import write
from publisher.protocol.values import Reply, Request, Site
from publisher.resource import Link, Linker
from publisher.screens.desk import CACHE, Desk, desk_of, page, shell
from publisher.screens.pair import pair_path

CSV, TURTLE = BY_NAME["csv"], BY_NAME["turtle"]
JSON = Format("view", "application/json", "json", "page")
_SUFFIXES = {"csv": CSV, "json": JSON, "ttl": TURTLE}
DISAGREE = {"opposed": "opposed: for and against", "contested": "not all one way"}
NAMES = ("design", "stance", "since", "until", "group", "target", "within", "all")


@dataclass(frozen=True)
class Asked:
    """A request for a view: the fields as given, and the filters that they mean."""

    fields: Mapping[str, str]
    filters: Filters
    contested: bool


def map_view(site: Site, request: Request, suffix: str = "") -> Reply:
    """The view that the fields ask for, in the wanted form."""
    desk = desk_of(site)
    if not desk.table("matrix"):
        raise NotFound("this graph has no evidence map", fix="its settings have no [matrix]")
    asked = understand(desk, request)
    labels = _labels(desk)
    view = matrix.view(desk.facts, asked.filters, labels)
    if asked.contested:
        view = only_contested(view, opposed=asked.fields["stance"] == "opposed")
    offered = (HTML, CSV, JSON, TURTLE)
    choice = negotiate(request.accept, offered)
    row = _SUFFIXES.get(suffix) or (choice.format if choice else HTML)
    if row is HTML:
        return as_page(desk, request, asked, view)
    makers = {"csv": as_csv, "view": as_json, "turtle": as_turtle}
    body = makers[row.name](desk, view, everything=asked.filters.everything)
    kind = Choice(row, row.media_type).content_type
    return Reply(
        200,
        (
            ("content-type", kind),
            ("content-disposition", f'attachment; filename="{file_name(desk, asked, row)}"'),
            ("etag", site.etag("matrix", row.name, request.query_string)),
            ("cache-control", CACHE),
            ("vary", "Accept"),
            ("x-release", site.release),
        ),
        body,
    )


def understand(desk: Desk, request: Request) -> Asked:
    """The fields of the form as filters; what no filter can be is told, not passed over."""
    fields = {name: request.argument(name).strip() for name in NAMES}
    fields = {name: value for name, value in fields.items() if value}
    families = {row["name"]: row["designs"] for row in desk.table("matrix").get("families", [])}
    design = fields.get("design", "")
    designs = families.get(design, [design] if design else [])
    sides = {stance.name: stance.side for stance in desk.stances.values()}
    stance = fields.get("stance", "")
    if stance and stance not in (*DISAGREE, *sides):
        raise BadRequest(f"{stance} is no stance", fix=f"one of {', '.join([*sides, *DISAGREE])}")
    years = {}
    for name in ("since", "until"):
        text = fields.get(name, "")
        if text and not (text.isascii() and text.isdigit() and len(text) == 4):
            raise BadRequest(f"{name} is {text!r}", fix="write a year with four digits")
        years[name] = int(text or 0)
    filters = Filters(
        designs=frozenset(desk.iris(designs)),
        side=sides.get(stance, ""),
        group=desk.iri(fields.get("group", "")),
        target=desk.iri(fields.get("target", "")),
        within=desk.iri(fields.get("within", "")),
        everything="all" in fields,
        **years,
    )
    return Asked(fields, filters, stance in DISAGREE)


def only_contested(view: View, *, opposed: bool) -> View:
    """The same view with the cells in which studies do not agree; `opposed`: for and against."""
    kept = {p for p, c in view.cells.items() if (c.opposed if opposed else c.disputed)}
    rows, columns = {r for r, _ in kept}, {c for _, c in kept}
    cells = {
        pair: cell
        if pair in kept or cell.state != "evidence"
        else Cell(*pair, "filtered", statements=cell.statements)
        for pair, cell in view.cells.items()
        if pair[0] in rows and pair[1] in columns
    }
    groups = tuple(
        (g, left) for g, of in view.groups if (left := tuple(r for r in of if r in rows))
    )
    return View(groups, tuple(c for c in view.columns if c in columns), cells)


def _labels(desk: Desk) -> Mapping[str, str]:
    """The labels of everything that may stand on an axis, kept as long as the release is served."""
    found: dict[str, str] = desk.site.shelf.setdefault("map-labels", {})
    if not found:
        facts = desk.facts
        wanted = {iri for pair in facts.named for iri in pair}
        wanted |= {f.row for f in facts.findings} | {f.column for f in facts.findings}
        wanted |= set(facts.broader) | {b for up in facts.broader.values() for b in up}
        wanted |= {g for of in facts.groups.values() for g in of}
        wanted |= {t for of in facts.targets.values() for t in of} | set(facts.ranks)
        found.update((iri, known.label) for iri, known in desk.index.known(wanted).items())
    return found


def file_name(desk: Desk, asked: Asked, row: Format) -> str:
    """With the date of the release and the filters, so that two views are told apart."""
    told = "-".join(f"{k}-{v.partition(':')[2] or v}" for k, v in sorted(asked.fields.items()))
    safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in told)[:80]
    stem = f"{desk.settings.get('name', 'graph')}-evidence-map-{desk.site.release}"
    return f"{stem}{'-' + safe if safe else ''}.{row.suffix}"


# the page


@dataclass(frozen=True)
class Field:
    """One field of the form; without options it takes a number."""

    name: str
    word: str
    value: str
    options: Sequence[tuple[str, Sequence[tuple[str, str]]]] = ()
    hint: str = ""


@dataclass(frozen=True)
class Shown:
    """A cell as the page shows it."""

    cell: Cell
    href: str
    told: str
    letter: str


@dataclass(frozen=True)
class ColumnHead:
    """The head of a column; following it opens what is narrower. `short`: its abbreviation."""

    text: str
    word: str
    short: str
    href: str


def as_page(desk: Desk, request: Request, asked: Asked, view: View) -> Reply:
    """The table with its form, legend and downloads."""
    known = desk.table("matrix")
    linker = desk.linker(request)
    labels = _labels(desk)
    query = urlencode(asked.fields)
    links = linker.iris([g for g, _ in view.groups if g] + list(view.rows))
    groups = [
        (
            links.get(group, Link("other")),
            [
                (links[row], [_shown(desk, linker, view, row, c) for c in view.columns])
                for row in rows
            ],
        )
        for group, rows in view.groups
    ]
    fields = _fields(desk, asked, labels)
    title = str(known.get("title", ""))
    within = linker.link(asked.filters.within) if asked.filters.within else None
    frame = shell(desk, request, title, description=str(known.get("lead", "")))
    return page(
        desk,
        request,
        "matrix.html",
        frame,
        known=known,
        view=view,
        groups=groups,
        columns=[_head(desk, request, asked, c, labels.get(c, c)) for c in view.columns],
        fields=fields,
        everything=asked.filters.everything,
        filtered=any(c.state == "filtered" for c in view.cells.values()),
        within=within,
        ways=_ways(desk),
        letters=[(_initial(family), str(family["word"])) for family in known.get("families", [])],
        told=_told(fields, desk, labels),
        exports={
            s: f"{request.prefix}/matrix.{s}{'?' + query if query else ''}" for s in _SUFFIXES
        },
        share=f"{request.prefix}/matrix{'?' + query if query else ''}",
    )


def _shown(desk: Desk, linker: Linker, view: View, row: str, column: str) -> Shown | None:
    """A cell; None where nobody has looked, as in most."""
    cell = view.cells.get((row, column))
    if cell is None:
        return None
    href = pair_path(linker, row, column)
    if cell.state != "evidence":
        return Shown(cell, href, "", "")
    labels = _labels(desk)
    parts = [
        f"{cell.study_count} {'study' if cell.study_count == 1 else 'studies'}"
        if cell.study_count
        else "",
        f"{cell.synthesis_count} {'review' if cell.synthesis_count == 1 else 'reviews'}"
        if cell.synthesis_count
        else "",
    ]
    sides = [
        f"{n} {s.plural}"
        for s in desk.stances.values()
        if (n := cell.studies.get(s.side, 0) + cell.syntheses.get(s.side, 0))
    ]
    told = f"{' and '.join(p for p in parts if p)}: {', '.join(sides)}"
    best = labels.get(cell.best, "")
    told += f"; best design: {best}" if best else ""
    told += f"; {cell.agreement}" if cell.agreement else ""
    return Shown(cell, href, told, _letter(desk, cell))


def _letter(desk: Desk, cell: Cell) -> str:
    """The initial of the family of the best design."""
    for family in desk.table("matrix").get("families", []):
        if cell.best in desk.iris(family["designs"]):
            return _initial(family)
    return ""


def _initial(family: Mapping[str, Any]) -> str:
    return str(family["name"])[:1].upper()


def _ways(desk: Desk) -> list[tuple[str, str]]:
    """The tones of disputed cells, and their marks."""
    marks = {stance.side: stance.mark for stance in desk.stances.values()}
    pairs = ((FOR, AGAINST), (FOR, MIXED), (AGAINST, MIXED))
    return [(f"{a}-{b}", marks.get(a, "") + marks.get(b, "")) for a, b in pairs]


def _head(desk: Desk, request: Request, asked: Asked, column: str, label: str) -> ColumnHead:
    """A column that has narrower ones opens into them; another leads to its own page."""
    short = desk.abbreviations.get(column, "")
    if column in desk.children and asked.filters.within != column:
        fields = {**asked.fields, "within": desk.compact(column)}
        href = f"{request.prefix}/matrix?{urlencode(fields)}"
        return ColumnHead(f"{label}: what is narrower", label, short, href)
    return ColumnHead(label, label, short, desk.linker(request).link(column).href)


def _fields(desk: Desk, asked: Asked, labels: Mapping[str, str]) -> list[Field]:
    known, facts = desk.table("matrix"), desk.facts
    families = [(str(f["name"]), str(f["word"])) for f in known.get("families", [])]
    present = {f.design for f in facts.findings}
    designs = [(desk.compact(d), labels.get(d, d)) for d in facts.ranks if d in present]
    stances = [(s.name, s.heading.lower()) for s in desk.stances.values()]
    rows = {f.row for f in facts.findings}
    groups = {g for row in rows for g in facts.groups.get(row, ())}
    columns = {c for f in facts.findings for c in facts.above(f.column)}
    targets = {t for c in columns for t in facts.targets.get(c, ())}

    def field(name: str, word: str, options: Any = (), hint: str = "") -> Field:
        return Field(name, word, asked.fields.get(name, ""), options, hint)

    def sorted_options(iris: set[str]) -> list[tuple[str, str]]:
        found = [(desk.compact(iri), labels.get(iri, iri)) for iri in iris]
        return sorted(found, key=lambda pair: pair[1].lower())

    wide = {c for c in columns if c in desk.children}
    return [
        field("design", "Study design", [("Families", families), ("Designs", designs)]),
        field("stance", "Direction", [("", [*stances, *DISAGREE.items()])]),
        field("group", str(known.get("group_title", "Group")), [("", sorted_options(groups))]),
        field("target", str(known.get("target_title", "Target")), [("", sorted_options(targets))]),
        field("within", f"Only within {known.get('column', '')}", [("", sorted_options(wide))]),
        field("since", "From year", hint="e.g. 2010"),
        field("until", "To year", hint="e.g. 2024"),
    ]


def _told(fields: Sequence[Field], desk: Desk, labels: Mapping[str, str]) -> str:
    """The filters that are set, in the words of the form."""
    parts = []
    for field in fields:
        words = {value: word for _, options in field.options for value, word in options}
        chosen = words.get(field.value) or labels.get(desk.iri(field.value), field.value)
        parts += [f"{field.word.lower()}: {chosen}"] if field.value else []
    return ", ".join(parts)


# downloads of the view


def rows_of(desk: Desk, view: View, *, everything: bool) -> Iterator[dict[str, Any]]:
    """One row for each pair with evidence, in reading order; then those where none is recorded.

    The latter only when the view shows their rows and columns, too.
    """
    labels = _labels(desk)
    known = desk.table("matrix")
    row_name, column_name = str(known.get("row", "row")), str(known.get("column", "column"))
    empty = [cell for _, cell in sorted(view.cells.items()) if cell.state == "named"]
    for cell in (*view.filled, *(empty if everything else ())):
        first, last = cell.years
        yield {
            column_name: labels.get(cell.column, cell.column),
            f"{column_name}_iri": cell.column,
            row_name: labels.get(cell.row, cell.row),
            f"{row_name}_iri": cell.row,
            f"{row_name}_group": "; ".join(
                labels.get(g, g) for g in desk.facts.groups.get(cell.row, ())
            ),
            "studies": cell.study_count,
            "syntheses": cell.synthesis_count,
            **{f"studies_{side}": cell.studies.get(side, 0) for side in SIDES},
            **{f"syntheses_{side}": cell.syntheses.get(side, 0) for side in SIDES},
            "status": "evidence" if cell.state == "evidence" else "none recorded",
            "opposed": cell.opposed,
            "disputed": cell.disputed,
            "best_design": labels.get(cell.best, cell.best),
            "first_year": first or "",
            "last_year": last or "",
            "findings_on_narrower": cell.narrower,
            "statements": cell.statements,
            "release": desk.site.release,
        }


def as_csv(desk: Desk, view: View, *, everything: bool) -> bytes:
    """RFC 4180, one line for each pair."""
    rows = list(rows_of(desk, view, everything=everything))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else ["release"])
    writer.writeheader()
    writer.writerows(_harmless(row) for row in rows)
    return out.getvalue().encode()


def _harmless(row: Mapping[str, Any]) -> dict[str, Any]:
    """No text that a spreadsheet would take for a formula; truth as in JSON and XSD."""
    told = {k: str(v).lower() if isinstance(v, bool) else v for k, v in row.items()}
    return {
        k: "'" + v if isinstance(v, str) and v[:1] in ("=", "+", "@", "\t") else v
        for k, v in told.items()
    }


def as_json(desk: Desk, view: View, *, everything: bool) -> bytes:
    """The rows of the CSV with their keys."""
    rows = list(rows_of(desk, view, everything=everything))
    content = {"release": desk.site.release, "pairs": rows}
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def as_turtle(desk: Desk, view: View, *, everything: bool) -> bytes:  # noqa: ARG001
    """The statements of the findings that the view is made of."""
    iris = dict.fromkeys(f.iri for cell in view.filled for f in cell.findings)
    triples = [triple for iri in iris for triple in desk.site.engine.lookup(iri)]
    return write(desk.site, triples, "turtle")
