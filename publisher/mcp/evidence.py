"""What is said of a pair of things, on all sides: as the settings' map and view of pairs have it.

Nothing here knows what the two things are: [matrix] names the axes, the view of the kind `pair`
names the panels, and their rows are those that the page of the pair shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyoxigraph import NamedNode

from publisher import resource
from publisher.errors import UsageError
from publisher.mcp.telling import Teller, cited, line
from publisher.mcp.tools import Answer, Json, Tool, count, text
from publisher.screens import panels
from publisher.screens.pair import map_panel, proposition_of, summarise
from publisher.screens.work import Subject

SHOWN, MOST = 5, 50
SKIPPED = ("timeline", "tree")  # the same rows again, in another order


def tool(teller: Teller) -> Tool | None:
    """The tool; None for a graph without a map of pairs."""
    column, row = _axes(teller)
    if not (column and row and _view(teller)):
        return None

    def run(limit: int = SHOWN, **ends: str) -> Answer:
        if not ends:
            raise UsageError(f"name a {column}, a {row}, or both")
        if len(ends) == 1:
            axis, name = next(iter(ends.items()))
            return overview(teller, _end(teller, axis, name))
        return pair(teller, _end(teller, row, ends[row]), _end(teller, column, ends[column]), limit)

    sides = ", ".join(stance.name for stance in teller.desk.stances.values())
    about = (
        f"What is recorded on a {column} for a {row}, on every side ({sides}): claims with their"
        " numbers, places in their sources and identifiers of the sources, then what else the graph"
        " holds on the pair. Narrower things count, too, and are named. With one of the two only:"
        " all pairs it is part of, with counts. Nothing recorded does not mean that nothing exists."
    )
    takes = {
        column: text(f"name, IRI or identifier of a {column}"),
        row: text(f"name, IRI or identifier of a {row}"),
        "limit": count("most rows of each part", SHOWN, MOST),
    }
    return Tool("evidence", f"Evidence on a {column} for a {row}", about, takes, (), run)


def _axes(teller: Teller) -> tuple[str, str]:
    """What column and row of the map are called."""
    known = teller.desk.table("matrix")
    return str(known.get("column", "")), str(known.get("row", ""))


def _view(teller: Teller) -> Mapping[str, Any]:
    views = teller.desk.settings.get("views", [])
    return next((view for view in views if view.get("kind") == "pair"), {})


def _end(teller: Teller, axis: str, name: str) -> str:
    """The thing that is meant by one end of a pair."""
    known = teller.desk.table("matrix")
    place = "row" if axis == known.get("row") else "column"
    return teller.find(name, teller.desk.iri(str(known.get(f"{place}_class", ""))))


def pair(teller: Teller, row: str, column: str, limit: int) -> Answer:
    """Both sides of a pair, then the other panels of its page."""
    desk = teller.desk
    known = desk.table("matrix")
    links = teller.linker.iris([row, column])
    title = str(known.get("pair_title", "{column}, {row}")).format(
        row=links[row].text, column=links[column].text
    )
    terms = {str(known["row"]): NamedNode(row), str(known["column"]): NamedNode(column)}
    subject = Subject(terms)
    found = summarise(desk, teller.linker, row, column)
    counts: Json = {
        "state": found.cell.state,
        "studies": dict(found.cell.studies),
        "syntheses": dict(found.cell.syntheses),
        "disputed": found.cell.disputed,
        "opposed": found.cell.opposed,
    }
    parts = [
        part
        for name in _view(teller).get("panels", ())
        if (part := _part(teller, name, subject, limit))
    ]
    sources = _sources(teller, parts)
    own = proposition_of(desk, row, column)
    data: Json = {
        "pair": title,
        str(known["column"]): {"text": links[column].text, "iri": column},
        str(known["row"]): {"text": links[row].text, "iri": row},
        "iri": own if own and desk.index.known([own]) else None,
        "counts": counts,
        "parts": parts,
        "sources": sources,
        "release": desk.site.release,
    }
    return Answer(_written(teller, data, title, counts), data)


def _part(teller: Teller, name: str, subject: Subject, limit: int) -> Json | None:
    """One panel: its rows, by side where it has sides; None when there is nothing in it."""
    desk = teller.desk
    known = desk.table("panels").get(name, {})
    kind = str(known.get("kind", "table"))
    if kind in SKIPPED:
        return None
    query = panels.asked_text(desk, name, known, subject)
    about = str(known.get("about", "")) or desk.queries.about(str(known.get("rows", name)))
    head: Json = {"name": name, "title": str(known.get("title", teller.word(name))), "about": about}
    if "rows" not in known:
        rows = desk.site.engine.select(f"{query}\nLIMIT {MOST + 1}")
        if not rows:
            return None
        return {**head, "total": len(rows), "rows": teller.rows(rows[:limit])}
    picked = panels.pick(desk, known, subject)
    if not len(picked):
        return None
    if kind != "stances":
        return {**head, "total": len(picked), "rows": teller.rows(picked.rows(limit))}
    wide = [variable for variable, source in known["match"].items() if source.endswith("*")]
    own = picked.only(**dict.fromkeys(wide, subject.iris)) if wide else None
    sides = []
    for iri, stance in desk.stances.items():
        mine = picked.only(stance=[iri])
        shown = teller.rows(mine.rows(limit, 0, own))
        sides.append({"side": stance.name, "iri": iri, "total": len(mine), "rows": shown})
    return {**head, "total": len(picked), "sides": sides}


def _sources(teller: Teller, parts: list[Json]) -> list[Json]:
    """Every source that is named in the rows, once."""
    rows = [row for part in parts for row in (*part.get("rows", ()), *_of_sides(part))]
    found = dict.fromkeys(row["source"]["iri"] for row in rows if "iri" in row.get("source", {}))
    return [teller.source(iri) for iri in found]


def _of_sides(part: Json) -> list[Json]:
    return [row for side in part.get("sides", ()) for row in side["rows"]]


def _written(teller: Teller, data: Json, title: str, counts: Json) -> str:
    lines = [f"# {title}"]
    if data["iri"]:
        lines.append(f"<{data['iri']}>")
    lines += ["", _counted(teller, counts), ""]
    numbers = {source["iri"]: place for place, source in enumerate(data["sources"], 1)}
    ends = {data[axis]["iri"] for axis in _axes(teller)}

    def told(rows: list[Json]) -> list[str]:
        return [f"- {line(teller, row, numbers, ends)}" for row in rows]

    for part in data["parts"]:
        lines.append(f"## {part['title']}")
        if part["about"]:
            lines.append(part["about"])
        for side in part.get("sides", ()):
            lines.append(f"### {side['side']}: {side['total']}" + _of(side))
            lines += told(side["rows"])
        if "rows" in part:
            lines.append(f"{part['total']} rows" + _of(part))
            lines += told(part["rows"])
        lines.append("")
    if data["sources"]:
        lines.append("## Sources")
        lines += [f"[{n}] {cited(source)}" for n, source in enumerate(data["sources"], 1)]
    lines += ["", f"Release {data['release']}. {_disclaimer(teller)}"]
    return "\n".join(lines)


def _of(part: Json) -> str:
    shown = len(part["rows"])
    return f", the first {shown} shown" if shown < part["total"] else ""


def _counted(teller: Teller, counts: Json) -> str:
    known = teller.desk.table("matrix")
    if counts["state"] == "named":
        return str(known.get("not_recorded", "Something is said of it, but no study has a side."))
    if counts["state"] == "unknown":
        return str(known.get("not_looked_for", "Nothing is recorded."))
    told = []
    for word in ("studies", "syntheses"):
        sides = [
            f"{counts[word][s.side]} {s.plural}"
            for s in teller.desk.stances.values()
            if counts[word].get(s.side)
        ]
        told += [f"{word}: {', '.join(sides)}"] if sides else []
    disputed = " They do not all point one way." if counts["disputed"] else ""
    disputed = " The pair is disputed." if counts["opposed"] else disputed
    return f"By direction: {'; '.join(told)}.{disputed}"


def _disclaimer(teller: Teller) -> str:
    return str(teller.desk.table("dataset").get("disclaimer", ""))


def overview(teller: Teller, iri: str) -> Answer:
    """All pairs of a thing, those with most studies first."""
    desk = teller.desk
    found = resource.read(desk.site.engine, teller.linker, iri)
    if found is None:
        raise UsageError("nothing is said of it", where=iri)
    panel = map_panel(desk, teller.linker, found, 1)
    rows = [
        {
            "with": {"text": row.other.text, "iri": row.other.iri},
            "studies": dict(row.cell.studies),
            "syntheses": dict(row.cell.syntheses),
            "disputed": row.cell.disputed,
            "opposed": row.cell.opposed,
            "best_design": row.best,
        }
        for row in panel.content or ()
    ]
    total = panel.asked.found if panel.asked else len(rows)
    lines = [f"# {found.label} <{iri}>", f"{total} pairs, the first {len(rows)} shown:"]
    for row in rows:
        other: Any = row["with"]
        state = {"state": "evidence", **row}
        lines.append(f"- {other['text']} <{other['iri']}>: {_counted(teller, state)}")
    data: Json = {"label": found.label, "iri": iri, "total": total, "pairs": rows}
    return Answer("\n".join(lines), {**data, "release": desk.site.release})
