"""The first page: search, the map in small, where studies disagree, how to use the data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from publisher import matrix
from publisher.matrix import Cell, Filters
from publisher.protocol.values import Reply, Request, Site
from publisher.resource import Link, Linker
from publisher.screens import documents
from publisher.screens.desk import Desk, Flag, dataset_data, desk_of, page, shell
from publisher.screens.pair import cell_of, pair_path
from publisher.screens.work import shortened

MINI_ROWS, MINI_COLUMNS = 8, 7
MOST = 8  # of each list


def home(site: Site, request: Request) -> Reply:
    """`/`"""
    desk = desk_of(site)
    known = {**plain(desk), **desk.table("home")}
    linker = desk.linker(request)
    rows = desk.index.fact(str(known.get("disputed", "")))
    pairs = linker.iris(row["proposition"] for row in rows)
    counts = [
        (row.get("word") or linker.link(desk.iri(row["kind"])).text, size)
        for row in known["counts"]
        if (size := desk.index.sizes.get(desk.iri(row["kind"]), 0))
    ]
    frame = shell(
        desk,
        request,
        site.title,
        description=str(known.get("lead", ""))[:300],
        canonical=site.names.base,
        data=dataset_data(desk),
        alternates=({"rel": "describedby", "href": "dataset", "type": "text/turtle", "name": ""},),
    )
    return page(
        desk,
        request,
        "home.html",
        frame,
        home=known,
        map=desk.table("matrix"),
        counts=counts,
        mini=mini_map(desk, request),
        disputed=disputed(desk, pairs, rows),
        flagged=flagged(desk, linker),
        questions=[stored(request, row) for row in desk.index.fact("queries")[:5]],
        base=request.base_url,
        example=linker.names.path(pairs[rows[0]["proposition"]].iri)
        if rows
        else f"/{documents.example(desk)}",
    )


def plain(desk: Desk) -> dict[str, Any]:
    """What the page says where the settings say nothing of it."""
    return {
        "title": desk.site.title,
        "lead": desk.table("dataset").get("description", ""),
        "placeholder": "Name or identifier",
        "examples": [],
        "counts": [{"kind": kind} for kind in desk.kinds],
    }


def disputed(
    desk: Desk, pairs: Mapping[str, Link], rows: Sequence[Mapping[str, str]]
) -> list[tuple[Link, Cell]]:
    """Pairs on which studies stand against each other, with the counts that their pages give."""
    axes = desk.table("matrix")
    row, column = str(axes.get("row", "")), str(axes.get("column", ""))
    cells = [(pairs[each["proposition"]], cell_of(desk, each[row], each[column])) for each in rows]
    ordered = sorted(cells, key=lambda pair: (not pair[1].opposed, -pair[1].investigations))
    return [pair for pair in ordered if pair[1].disputed][:MOST]


def flagged(desk: Desk, linker: Linker) -> list[tuple[Link, Flag]]:
    """Sources that something happened to, the gravest first."""
    rows = desk.index.fact(str(desk.table("home").get("flagged", "")))
    links = linker.iris(row["source"] for row in rows)
    order = list(desk.flags)
    known = [row for row in rows if row["status"] in desk.flags]
    known.sort(key=lambda row: order.index(row["status"]))
    found = [(shortened(desk, links[row["source"]]), desk.flags[row["status"]]) for row in known]
    return found[:MOST]


@dataclass(frozen=True)
class Question:
    """A stored query as a question in words."""

    question: str
    href: str


def stored(request: Request, row: dict[str, str]) -> Question:
    """The question of a stored query, and where it is run."""
    text = urlencode({"query": row["text"]})
    return Question(row.get("question", row.get("label", "")), f"{request.prefix}/query?{text}")


@dataclass(frozen=True)
class Title:
    """The head of a column in small."""

    word: str
    title: str


@dataclass(frozen=True)
class Mini:
    """The part of the map where most is recorded."""

    columns: tuple[Title, ...]
    rows: tuple[tuple[Link, tuple[tuple[Cell, str], ...]], ...]


def mini_map(desk: Desk, request: Request) -> Mini:
    """The fullest rows and columns of the map."""
    linker = desk.linker(request)
    view = matrix.view(desk.facts, Filters(), {})
    sizes: Counter[str] = Counter()
    for cell in view.filled:
        sizes[cell.row] += cell.investigations
    rows = sorted(sizes, key=lambda row: (-sizes[row], row))[:MINI_ROWS]
    fullness: Counter[str] = Counter()
    for cell in view.filled:
        if cell.row in rows:
            fullness[cell.column] += cell.investigations
    columns = sorted(fullness, key=lambda column: (-fullness[column], column))[:MINI_COLUMNS]
    links = linker.iris((*columns, *rows))
    return Mini(
        tuple(Title(desk.abbreviations.get(c, links[c].text), links[c].text) for c in columns),
        tuple(
            (links[r], tuple((view.cell(r, c), pair_path(linker, r, c)) for c in columns))
            for r in rows
        ),
    )
