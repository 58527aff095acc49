"""`/query`: the editor, and the answer as a table, chart or text; `/queries`: stored questions."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from pyoxigraph import BlankNode, Literal, NamedNode

from publisher.engine.question import Budget, Term
from publisher.errors import BadRequest, MalformedQuery, NotFound, RequestError
from publisher.formats import BY_NAME
from publisher.pages import svg
from publisher.protocol import problems, sparql
from publisher.protocol.values import Reply, Request, Site
from publisher.resource import Link
from publisher.screens.desk import Desk, desk_of, page, shell

SHOWN = 500
ANSWER_BYTES = 8 * 2**20
BARS = 40
BRIEF = 120  # letters of a parser's complaint that people read
_XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"
_TABLES = "application/sparql-results+json"
_TEXTS = "text/turtle"


@dataclass(frozen=True)
class Answer:
    """What came back, as the page shows it."""

    heads: Sequence[str] = ()
    rows: Sequence[Sequence[Link | None]] = ()
    total: int = 0
    truth: bool | None = None
    text: str = ""
    seconds: float = 0.0
    chart: Markup | None = None


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a query, and where: the text before, at and after the place."""

    what: str
    more: str
    fix: str
    line: int
    column: int
    before: str = ""
    at: str = ""
    after: str = ""


def query_page(site: Site, request: Request) -> Reply:
    """Without `query` the editor alone; with it the answer below."""
    desk = desk_of(site)
    text = request.argument("query")
    answer, wrong, status = None, None, 200
    if text.strip():
        try:
            answer = ask(desk, request, text)
        except RequestError as error:
            wrong, status = misread(error, text), problems.status_of(error)
    stored = stored_queries(desk, request)
    frame = shell(
        desk,
        request,
        "SPARQL",
        description=f"Ask {desk.site.title} in SPARQL: editor, stored questions, answers as files.",
        scripts=("editor.js",),
    )
    forms = ("turtle",) if answer and answer.text else ("csv", "tsv", "json", "xml")
    reply = page(
        desk,
        request,
        "query.html",
        frame,
        status=status,
        hint=str(desk.table("site").get("asking", "")),
        text=text or (stored[0].text if stored else ""),
        answer=answer,
        wrong=wrong,
        stored=stored,
        shown=SHOWN,
        downloads=[
            (_FILES[f].upper(), f"{request.prefix}/query.{f}?{urlencode({'query': text})}")
            for f in forms
        ],
        endpoint=request.url("/sparql"),
        permalink=f"{request.prefix}/query?{urlencode({'query': text})}" if text else "",
        limits=site.settings,
        triples=site.manifest.triples,
    )
    return reply if status == 200 else reply.with_headers(("cache-control", "no-store"))


def answer_file(site: Site, request: Request, name: str) -> Reply:
    """`/query.csv?query=` and the like: an answer as a file, with the release in its name."""
    row = BY_NAME.get(name)
    if row is None or name not in _FILES:
        raise NotFound(f"an answer is no {name}", fix=f"one of {', '.join(_FILES)}")
    fields = urlencode({"query": request.argument("query")})
    asked = Request("GET", "/sparql", fields, {"accept": row.media_type}, base_url=request.base_url)
    reply = sparql.answer(site, asked) if request.argument("query").strip() else None
    if reply is None:
        raise BadRequest("there is no query", fix=f"ask /query.{name}?query=…")
    stem = f"{site.graph.get('name', 'graph')}-answer-{site.release}"
    return reply.with_headers(
        ("content-disposition", f'attachment; filename="{stem}.{_FILES[name]}"')
    )


_FILES = {"csv": "csv", "tsv": "tsv", "json": "json", "xml": "xml", "turtle": "ttl"}


def render_editor(site: Site, request: Request) -> Reply:
    """`/sparql` for a browser that asks nothing."""
    return query_page(site, request)


def ask(desk: Desk, request: Request, text: str) -> Answer:
    """The answer to anybody's query, through the same door as `/sparql`."""
    site = desk.site
    accept = f"{_TABLES}, {_TEXTS};q=0.9"
    asked = Request(
        "GET",
        "/sparql",
        urlencode({"query": text}),
        {"accept": accept},
        base_url=request.base_url,
        prefix=request.prefix,
    )
    inquiry = sparql.understand(site, asked)
    assert inquiry is not None, "there is a query"
    limit = sparql.budget(site)
    began = time.perf_counter()
    found = site.engine.stream(
        inquiry.question, Budget(limit.seconds, min(limit.bytes, ANSWER_BYTES), limit.rows)
    )
    body = found.head + b"".join(found.rest or ())
    seconds = time.perf_counter() - began
    if inquiry.choice.format.name != "json":
        return Answer(text=body.decode("utf-8", "replace")[:200_000], seconds=seconds)
    return as_table(desk, request, json.loads(body), seconds)


def as_table(desk: Desk, request: Request, content: Mapping[str, Any], seconds: float) -> Answer:
    """SPARQL's JSON results as rows of links."""
    if "boolean" in content:
        return Answer(truth=bool(content["boolean"]), seconds=seconds)
    heads = content["head"].get("vars", [])
    bindings = content["results"]["bindings"]
    terms = [{n: _term(v) for n, v in row.items()} for row in bindings[:SHOWN]]
    links = desk.linker(request).links(term for row in terms for term in row.values())
    rows = [[links[row[n]] if n in row else None for n in heads] for row in terms]
    return Answer(heads, rows, len(bindings), seconds=seconds, chart=chart(heads, rows))


def _term(value: Mapping[str, Any]) -> Term:
    if value["type"] == "uri":
        try:
            return NamedNode(value["value"])
        except ValueError:
            return Literal(value["value"])
    if value["type"] in ("literal", "typed-literal"):
        if "xml:lang" in value:
            return Literal(value["value"], language=value["xml:lang"])
        return Literal(value["value"], datatype=NamedNode(value.get("datatype", _XSD_STRING)))
    return BlankNode(value["value"]) if value["type"] == "bnode" else Literal(str(value["value"]))


def chart(heads: Sequence[str], rows: Sequence[Sequence[Link | None]]) -> Markup | None:
    """Bars, where an answer is names with one number each; None for any other."""
    if not 1 < len(rows) <= BARS or not 2 <= len(heads) <= 4:
        return None
    numeric = [i for i in range(len(heads)) if all((c := row[i]) and c.numeric for row in rows)]
    named = [i for i in range(len(heads)) if i not in numeric]
    if len(numeric) != 1 or not named:
        return None
    bars = []
    for row in rows:
        number, name = row[numeric[0]], row[named[-1]]
        assert number is not None
        bars.append(svg.Bar(name.text if name else "", float(number.text)))
    return svg.bars(bars, f"{heads[numeric[0]]} by {heads[named[-1]]}")


def misread(error: RequestError, text: str) -> Wrong:
    """The error at its place in the text."""
    if not isinstance(error, MalformedQuery) or not error.line:
        return Wrong(error.what, "", error.fix, 0, 0)
    lines = text.splitlines() or [""]
    place = min(error.line, len(lines)) - 1
    line, at = lines[place], max(0, error.column - 1)
    brief = len(error.what) <= BRIEF
    return Wrong(
        error.what if brief else _plainly(lines, place, at),
        "" if brief else error.what,
        error.fix,
        error.line,
        error.column,
        "\n".join([*lines[max(0, place - 2) : place], line[:at]]),
        line[at : at + 1] or "⏎",
        "\n".join([line[at + 1 :], *lines[place + 1 : place + 3]]),
    )


def _plainly(lines: Sequence[str], place: int, at: int) -> str:
    """What a parser's long list of what it would have liked comes down to."""
    rest = [lines[place][at:], *lines[place + 1 :]]
    if not any(line.strip() for line in rest):
        return "the query ends before it is complete"
    word = lines[place][at:].split(None, 1)[0][:40] if lines[place][at:].strip() else ""
    return f"“{word}” is not expected here" if word else "something else is expected here"


# stored questions


@dataclass(frozen=True)
class Stored:
    """One stored query."""

    link: Link
    label: str
    question: str
    asked_by: str
    text: str
    gap: str
    href: str


def stored_queries(desk: Desk, request: Request) -> list[Stored]:
    """All stored queries of the release."""
    rows = desk.index.fact("queries")
    links = desk.linker(request).iris(row["query"] for row in rows)
    return [
        Stored(
            links[row["query"]],
            row.get("label", ""),
            row.get("question", ""),
            row.get("askedBy", ""),
            row["text"],
            row.get("gap", ""),
            f"{request.prefix}/query?{urlencode({'query': row['text']})}",
        )
        for row in rows
    ]


def queries_page(site: Site, request: Request) -> Reply:
    """`/queries`: every stored question, by who asks it."""
    desk = desk_of(site)
    groups: dict[str, list[Stored]] = {}
    for each in stored_queries(desk, request):
        groups.setdefault(each.asked_by or "anybody", []).append(each)
    frame = shell(desk, request, "Questions", description="Questions that the graph answers.")
    return page(desk, request, "queries.html", frame, groups=sorted(groups.items()))


def terms(site: Site, request: Request) -> Reply:  # noqa: ARG001 - every handler has it
    """`/query/terms`: what the editor completes: prefixes, classes, properties."""
    desk = desk_of(site)
    names = [
        desk.compact(iri)
        for kind in ("owl:Class", "owl:ObjectProperty", "owl:DatatypeProperty")
        for iri, _ in desk.index.of_kind(desk.iri(kind), 1000)
    ]
    content = {"prefixes": dict(site.names.prefixes.pairs), "terms": sorted(set(names))}
    return Reply(
        200,
        (
            ("content-type", "application/json"),
            ("etag", site.etag("terms")),
            ("cache-control", "public, max-age=3600"),
        ),
        json.dumps(content).encode(),
    )
