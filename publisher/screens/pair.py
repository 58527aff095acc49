"""A pair of the map: its page, its counts, and where a thing stands among all pairs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from pyoxigraph import NamedNode

from publisher import matrix, queries, resource
from publisher.errors import BadRequest, NotFound
from publisher.matrix import Cell as MapCell
from publisher.matrix import Finding
from publisher.protocol.values import Reply, Request, Site
from publisher.resource import Link, Linker, ResourceView
from publisher.screens import panels
from publisher.screens.desk import Desk, asked_pages, desk_of, last_page, page, shell
from publisher.screens.panels import ROWS, Asked, Panel
from publisher.screens.surroundings import alternates, citation, data_of
from publisher.screens.verdict import Way, ways
from publisher.screens.work import Subject

AXES = ("row", "column")


def pair_path(linker: Linker, row: str, column: str) -> str:
    """The page of a pair, whether or not anybody has claimed something on it."""
    names = linker.names.prefixes
    ends = [quote(names.compact(iri) or iri) for iri in (row, column)]
    return f"{linker.prefix}/pair?row={ends[0]}&column={ends[1]}"


def pairs_of(desk: Desk) -> Mapping[str, tuple[str, str]]:
    """The row and the column of each proposition on which something is said; kept."""
    kept: dict[str, tuple[str, str]] | None = desk.site.shelf.get("pairs")
    if kept is None:
        known = {*desk.facts.named, *desk.facts.by_pair}
        kept = {iri: ends for ends in sorted(known) if (iri := proposition_of(desk, *ends))}
        desk.site.shelf["pairs"] = kept
    return kept


def pair(site: Site, request: Request) -> Reply:
    """`/pair?row=&column=`: the page of a pair; the proposition's own page where there is one."""
    desk = desk_of(site)
    ends = [
        site.names.prefixes.expand(request.argument(axis)) or request.argument(axis)
        for axis in AXES
    ]
    if not all(ends):
        raise BadRequest("a pair has two ends", fix="ask /pair?row=…&column=…")
    linker = desk.linker(request)
    proposition = proposition_of(desk, *ends)
    if proposition and resource.read(site.engine, linker, proposition) is not None:
        return Reply(303, (("location", linker.link(proposition).href), ("vary", "Accept")))
    known = desk.index.known(ends)
    if len(known) < len(ends):
        raise NotFound("one end of this pair is not known", where=", ".join(ends))
    return pair_page(desk, request, None, *ends)


def proposition_of(desk: Desk, row: str, column: str) -> str:
    """The IRI of the pair's proposition, by the settings' pattern; empty when it cannot be made."""
    pattern = str(desk.table("matrix").get("pair", ""))
    numbers = {"row": row.rpartition("_")[2], "column": column.rpartition("_")[2]}
    return desk.iri(pattern.format(**numbers)) if pattern else ""


def ends_of(desk: Desk, found: ResourceView) -> tuple[str, str] | None:
    """Row and column of a pair that the release describes; None when one is missing."""
    known = desk.table("matrix")
    ends = [found.values(desk.iri(str(known[f"{axis}_property"]))) for axis in AXES]
    return (ends[0][0].iri, ends[1][0].iri) if all(ends) else None


def pair_page(
    desk: Desk, request: Request, found: ResourceView | None, row: str, column: str
) -> Reply:
    """Both sides of a pair, then numbers, harms, recommendations ... each with its query."""
    known = desk.table("matrix")
    linker = desk.linker(request)
    links = linker.iris([row, column])
    wording = {"row": links[row].text, "column": links[column].text}
    heading = str(known.get("pair_title", "{column}, {row}")).format(**wording)
    terms = {
        str(known.get("row", "row")): NamedNode(row),
        str(known.get("column", "column")): NamedNode(column),
    }
    subject = Subject(terms, asked_pages(request))
    view: Mapping[str, Any] = next(
        (v for v in desk.settings.get("views", []) if v.get("kind") == "pair"), {}
    )
    shown = [panels.make(desk, linker, name, subject) for name in view.get("panels", ())]
    iri = found.iri if found else ""
    frame = shell(
        desk,
        request,
        heading[:1].upper() + heading[1:],
        description=f"What supports and what disputes {heading}, with sources.",
        canonical=iri,
        alternates=alternates(iri) if iri else (),
        data=data_of(desk, found) if found else None,
        crumbs=(("/matrix", str(known.get("title", ""))),),
    )
    return page(
        desk,
        request,
        "pair.html",
        frame,
        view=found,
        row=links[row],
        column=links[column],
        axes=(str(known.get("column", "")), str(known.get("row", ""))),
        known=known,
        summary=summarise(desk, linker, row, column),
        panels=[panel for panel in shown if panel.content],
        missing=[panel for panel in shown if not panel.content],
        citation=citation(desk, found) if found else "",
        curie=desk.compact(iri) if iri else "",
    )


@dataclass(frozen=True)
class Summary:
    """A pair in a few lines: its cell of the map, and what is on narrower conditions beside it."""

    cell: MapCell
    own: int  # investigations on exactly this pair
    wider: MapCell | None
    best: str
    years: str
    ways: Sequence[Way]


def summarise(desk: Desk, linker: Linker, row: str, column: str) -> Summary:
    """Counts of the pair, by study, as the map has them."""
    cell = cell_of(desk, row, column)
    wider = cell_of(desk, row, column, narrower=True)
    own = [f for f in cell.findings if f.column == column]
    best = linker.link(cell.best).text if cell.best else ""
    return Summary(
        cell,
        matrix.gather((row, column), own, desk.facts.ranks).investigations,
        wider if wider.investigations > cell.investigations else None,
        best,
        years(cell),
        ways(desk, linker, cell),
    )


def cell_of(desk: Desk, row: str, column: str, *, narrower: bool = False) -> MapCell:
    """The cell of a row and a column with all that is narrower than the column, as on the map.

    `narrower`: with all that is narrower than the row as well. The state of a cell without
    findings: `named` when something is said of the pair, else `unknown`.
    """
    facts = desk.facts
    rows, columns = desk.below(row) if narrower else {row}, desk.below(column)
    inside = _within(desk, rows, columns)
    cell = matrix.gather((row, column), inside, facts.ranks)
    if inside:
        return cell
    said = sum(n for (r, c), n in facts.named.items() if r in rows and c in columns)
    return replace(cell, state="named" if said else "unknown", statements=said)


# where a thing stands among all pairs


@dataclass(frozen=True)
class MapRow:
    """One pair of the map, seen from one of its ends; `wider` counts narrower conditions, too."""

    other: Link
    href: str
    group: str
    cell: MapCell
    best: str
    years: str
    wider: int


def map_panel(desk: Desk, linker: Linker, found: ResourceView, at: int) -> Panel:
    """Where a thing stands on the evidence map: everything it is paired with."""
    is_row = is_row_of(desk, found)
    cells = cells_of(desk, found.iri, is_row)
    labels = desk.index.known(cells)
    ordered = sorted(
        cells,
        key=lambda o: (
            -cells[o][0].investigations,
            -cells[o][1],
            labels[o].label if o in labels else o,
        ),
    )
    pages = last_page(len(ordered), ROWS)
    at = min(at, pages)
    part = ordered[(at - 1) * ROWS : at * ROWS]
    rows = _map_rows(desk, linker, {other: cells[other] for other in part})
    asked = _asked(desk, found.iri, "rows_of_row" if is_row else "rows_of_column", len(ordered))
    title = "On the evidence map"
    return Panel("map", "map", title, asked, content=rows, page=at, pages=pages)


def is_row_of(desk: Desk, found: ResourceView) -> bool:
    """Whether a thing is the row of its pairs, not the column."""
    row_class = desk.iri(str(desk.table("matrix").get("row_class", "")))
    return row_class in {link.iri for link in found.types}


def cells_of(desk: Desk, iri: str, is_row: bool) -> Mapping[str, tuple[MapCell, int]]:
    """The cells of all pairs of a thing by the other end; kept while the release is served."""
    kept: dict[tuple[str, bool], dict[str, tuple[MapCell, int]]]
    kept = desk.site.shelf.setdefault("map-cells", {})
    if (iri, is_row) not in kept:
        below = desk.below(iri)
        ends = ((r, c) if is_row else (c, r) for r, c in desk.facts.by_pair)
        others = {other for mine, other in ends if mine in below}
        kept[iri, is_row] = {
            other: _near(desk, *((iri, other) if is_row else (other, iri))) for other in others
        }
    return kept[iri, is_row]


def _near(desk: Desk, row: str, column: str) -> tuple[MapCell, int]:
    """The cell of a pair, and how many investigations narrower rows add to it."""
    columns = desk.below(column)
    exact = _within(desk, {row}, columns)
    wide = _within(desk, desk.below(row), columns)
    cell = matrix.gather((row, column), exact, desk.facts.ranks)
    return cell, len({f.study for f in wide} - {f.study for f in exact})


def _within(desk: Desk, rows: Collection[str], columns: Collection[str]) -> list[Finding]:
    """The findings on pairs of these rows and columns."""
    known = desk.facts.by_pair
    if len(rows) * len(columns) > len(known):
        return [f for (r, c), found in known.items() if r in rows and c in columns for f in found]
    return [f for row in rows for column in columns for f in known.get((row, column), ())]


def _map_rows(desk: Desk, linker: Linker, cells: Mapping[str, tuple[MapCell, int]]) -> list[MapRow]:
    groups = desk.facts.groups
    best = {cell.best for cell, _ in cells.values()}
    links = linker.iris({*cells, *best, *(g for other in cells for g in groups.get(other, ()))})
    return [
        MapRow(
            links[other],
            pair_path(linker, cell.row, cell.column),
            ", ".join(links[g].text for g in groups.get(other, ())),
            cell,
            links[cell.best].text if cell.best else "",
            years(cell),
            wider,
        )
        for other, (cell, wider) in cells.items()
    ]


def _asked(desk: Desk, iri: str, name: str, found: int) -> Asked | None:
    file = str(desk.table("matrix").get(name, ""))
    if not file:
        return None
    text = queries.bind(desk.queries[file], {"this": NamedNode(iri)})
    return Asked(queries.with_prefixes(text, desk.site.names.prefixes.namespaces), found, False)


def years(cell: MapCell) -> str:
    """From when to when its findings were reported, as far as that is known."""
    first, last = cell.years
    if not first:
        return ""
    return str(first) if first == last else f"{first}–{last}"
