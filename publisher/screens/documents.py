"""Pages about the data: dataset, downloads, mappings, method; and what crawlers read."""

from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from publisher.formats import HTML, Format, negotiate
from publisher.protocol import files
from publisher.protocol.values import Reply, Request, Site
from publisher.screens.desk import (
    MENU,
    Desk,
    asked_page,
    dataset_data,
    desk_of,
    last_page,
    page,
    shell,
)

PAGE = 100
PER_SITEMAP = 5000
_JSON = Format("index", "application/json", "json", "page")


def dataset_page(desk: Desk, request: Request) -> Reply:
    """`/dataset`: what there is, how to get, cite and link it, how good it is."""
    site = desk.site
    known = desk.table("dataset")
    kinds = [
        (link, desk.index.sizes.get(kind, 0))
        for kind, link in desk.linker(request).iris(desk.kinds).items()
    ]
    quality = desk.index.fact("quality")
    readings = desk.linker(request).iris(row["reading"] for row in quality)
    frame = shell(
        desk,
        request,
        "Data",
        description=str(known.get("description", ""))[:300],
        canonical=str(known.get("iri", "")),
        data=dataset_data(desk),
        alternates=[
            {"rel": "alternate", "type": "text/turtle", "href": "dataset.ttl", "name": "turtle"},
            {
                "rel": "alternate",
                "type": "application/ld+json",
                "href": "dataset.jsonld",
                "name": "jsonld",
            },
            {"rel": "license", "href": str(known.get("licence", "")), "type": "", "name": ""},
        ],
    )
    return page(
        desk,
        request,
        "dataset.html",
        frame,
        known=known,
        files=listed(desk, whole=True),
        kinds=[(link, count) for link, count in kinds if count],
        triples=site.manifest.triples,
        graphs=len(site.manifest.graphs),
        quality=[(readings[row["reading"]], row) for row in quality],
        endpoint=request.url("/sparql"),
        base=request.base_url,
        example=example(desk),
        word=next(iter(desk.table("home").get("examples", [])), site.title),
        map=bool(desk.table("matrix")),
        citation=str(desk.table("site").get("citation", "")).format(release=site.release),
        prefix_rows=site.names.prefixes.pairs,
    )


def example(desk: Desk) -> str:
    """The CURIE-like last part of some entity, for examples that work."""
    rows = desk.index.of_kind(desk.kinds[0], 1) if desk.kinds else []
    return str(rows[0][0]).removeprefix(desk.site.names.base) if rows else ""


def listed(desk: Desk, *, whole: bool, there: Site | None = None) -> list[dict[str, Any]]:
    """The download files of the release, or of another; `whole`: those of the whole graph only."""
    found = []
    for name, entry in sorted((there or desk.site).manifest.files.items()):
        if not name.startswith("downloads/"):
            continue
        short = name.removeprefix("downloads/")
        if whole and ("/" in short or not short.startswith(str(desk.settings.get("name", "")))):
            continue
        found.append({"name": short, **entry})
    # the files of the whole graph are what most people come for
    return sorted(found, key=lambda file: "/" in file["name"])


def downloads(site: Site, request: Request) -> Reply:
    """`/downloads/`: every file with size and sum; JSON for programs."""
    desk = desk_of(site)
    choice = negotiate(request.accept, (HTML, _JSON))
    if choice is not None and choice.format is _JSON:
        return files.index(site, request)
    frame = shell(desk, request, "Downloads", description="Whole-graph files with their sums.")
    return page(desk, request, "downloads.html", frame, files=listed(desk, whole=False))


def mappings(site: Site, request: Request) -> Reply:
    """`/mappings?vocabulary=&page=`: counts for each vocabulary, then its rows."""
    desk = desk_of(site)
    rows = desk.index.fact("mappings")
    chosen = request.argument("vocabulary")
    sets: dict[str, dict[str, int]] = {}
    for row in rows:
        counts = sets.setdefault(row["set"], {})
        counts[_verdict(desk, row)] = counts.get(_verdict(desk, row), 0) + 1
    mine = [row for row in rows if row["set"].rpartition("/")[2] == chosen]
    pages = last_page(len(mine), PAGE)
    at = min(asked_page(request), pages)
    part = mine[(at - 1) * PAGE : at * PAGE]
    linker = desk.linker(request)
    links = linker.iris(
        {row[name] for row in part for name in ("subject", "predicate", "object")} | set(sets)
    )
    frame = shell(
        desk, request, "Mappings", description="Links to the terms of other vocabularies."
    )
    return page(
        desk,
        request,
        "mappings.html",
        frame,
        sets=[
            {
                "name": iri.rpartition("/")[2],
                "title": links[iri].text,
                "href": f"{request.prefix}/mappings?"
                + urlencode({"vocabulary": iri.rpartition("/")[2]}),
                "file": _file_of(desk, iri.rpartition("/")[2]),
                "counts": counts,
                "total": sum(counts.values()),
            }
            for iri, counts in sorted(sets.items())
        ],
        words=[
            "the same",
            "close",
            "broader there",
            "narrower there",
            "related",
            "refused",
            "no term",
        ],
        chosen=chosen,
        rows=[
            (
                links[row["subject"]],
                _verdict(desk, row),
                links[row["object"]],
                desk.compact(row["object"]),
                row.get("label", ""),
                row.get("comment", ""),
            )
            for row in part
        ],
        total=len(mine),
        at=at,
        pages=pages,
    )


def _verdict(desk: Desk, row: dict[str, str]) -> str:
    """One word for a row: refused, no term, or how near the match is."""
    if row.get("modifier"):
        return "refused"
    if row["object"] == desk.iri("sssom:NoTermFound"):
        return "no term"
    words = {desk.iri(c): str(word) for c, word in desk.table("mappings").items()}
    return words.get(row["predicate"], desk.compact(row["predicate"]))


def _file_of(desk: Desk, name: str) -> str:
    file = f"mappings/{name}.sssom.tsv"
    return f"/downloads/{file}" if f"downloads/{file}" in desk.site.manifest.files else ""


def about(site: Site, request: Request) -> Reply:
    """`/about`: method, counting rules, limits, disclaimer."""
    desk = desk_of(site)
    frame = shell(desk, request, "About", description="How the graph is made and what it is not.")
    return page(
        desk,
        request,
        "about.html",
        frame,
        sections=desk.settings.get("about", []),
        known=desk.table("dataset"),
    )


# for crawlers and agents


def robots(site: Site, request: Request) -> Reply:  # noqa: ARG001 - every handler has it
    """Everything may be read; queries are not for crawlers."""
    lines = ["User-agent: *"]
    lines += [
        f"Disallow: {request.prefix}{path}"
        for path in ("/sparql", "/query?", "/query.", "/search?", "/matrix?", "/pair?")
    ]
    lines.append(f"Sitemap: {request.url('/sitemap.xml')}")
    return _text("\n".join(lines) + "\n", "text/plain; charset=utf-8")


def sitemap(site: Site, request: Request) -> Reply:
    """An index, and with `?part=` one file of it: pages of the things that search knows."""
    desk = desk_of(site)
    kinds = desk.kinds[: int(desk.table("search").get("shown", len(desk.kinds)))]
    wanted = [*kinds, *(k for k in desk.kinds if k not in kinds)][:14]
    total = sum(desk.index.sizes.get(kind, 0) for kind in wanted)
    part = request.number("part", 0, 999_999)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    if not part:
        count = max(1, -(-total // PER_SITEMAP))
        rows = "".join(
            f"<sitemap><loc>{escape(request.url(f'/sitemap.xml?part={n}'))}</loc></sitemap>\n"
            for n in range(1, count + 1)
        )
        return _text(f"{head}<sitemapindex {space}>\n{rows}</sitemapindex>\n", "application/xml")
    marks = ",".join("?" * len(wanted))
    found = desk.index.rows(
        f"SELECT iri FROM label WHERE kind IN ({marks})"  # noqa: S608 - marks only
        " AND iri NOT IN (SELECT iri FROM entry WHERE retired) ORDER BY iri LIMIT ? OFFSET ?",
        (*wanted, PER_SITEMAP, (part - 1) * PER_SITEMAP),
    )
    paths = [path for (iri,) in found if (path := site.names.path(iri)) and "#" not in path]
    if part == 1:
        paths[:0] = [
            "/",
            *(str(row["path"]) for row in desk.settings.get("menu", MENU)),
            "/changes",
        ]
    rows = "".join(f"<url><loc>{escape(request.url(path))}</loc></url>\n" for path in paths)
    return _text(f"{head}<urlset {space}>\n{rows}</urlset>\n", "application/xml")


def llms(site: Site, request: Request) -> Reply:
    """`/llms.txt`: what an agent needs to use the graph well."""
    desk = desk_of(site)
    known = desk.table("dataset")
    url = request.url
    lines = [
        f"# {site.title}",
        "",
        f"> {known.get('description', '')} {known.get('disclaimer', '')}",
        "",
        f"Release {site.release}, {site.manifest.triples} statements,"
        f" licence {known.get('licence', '')}.",
        "Every claim names its source and stance. Quote both sides where claims disagree;"
        " cite the source.",
        "No evidence recorded means only that nothing is recorded here.",
        "",
        "## Ask",
        f"- [SPARQL 1.1]({url('/sparql')}): GET ?query=, Accept: application/sparql-results+json",
        f"- [Search]({url('/search')}): ?q=…, Accept: application/json",
        *_map_line(desk, request),
        f"- [Stored questions]({url('/queries')})",
        f"- [Names to identifiers]({url('/reconcile')}): Reconciliation Service API 0.2",
        "- Model Context Protocol: run `neuromodkg mcp` on your own machine",
        "",
        "## Read",
        f"- [Vocabulary]({url('/ontology')}): Accept: text/turtle",
        *_shapes_line(desk, request),
        f"- [What changed]({url('/changes.json')})",
        f"- [Dataset description]({url('/dataset')})",
        f"- [Downloads]({url('/downloads/')})",
        "- Every IRI under "
        + site.names.base
        + " answers here under the same path with .ttl .jsonld .nt .rdf",
        "",
        "## Questions it answers",
        *(f"- {row.get('question', '')}" for row in desk.index.fact("queries")),
    ]
    return _text("\n".join(lines) + "\n", "text/plain; charset=utf-8")


def _shapes_line(desk: Desk, request: Request) -> list[str]:
    """Where there are shapes, how to use them."""
    there = "downloads/shapes.nt" in desk.site.manifest.files
    line = f"- [Shapes]({request.url('/shapes')}): Accept: text/turtle; POST data to"
    return [f"{line} {request.url('/validate')}"] if there else []


def _map_line(desk: Desk, request: Request) -> list[str]:
    """Where there is an evidence map, how to ask it."""
    known = desk.table("matrix")
    families = [str(row["name"]) for row in known.get("families", [])]
    stances = [stance.name for stance in desk.stances.values()]
    fields = [
        f"{name}={values[0]}"
        for name, values in (("design", families), ("stance", stances))
        if values
    ]
    line = f"- [{known.get('title')} as JSON]({request.url('/matrix.json')}): ?{'&'.join(fields)}"
    return [line] if known else []


def opensearch(site: Site, request: Request) -> Reply:
    """Search from a browser's address bar."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">'
        f"<ShortName>{escape(site.title[:16])}</ShortName>"
        f"<Description>{escape(site.title)}</Description><InputEncoding>UTF-8</InputEncoding>"
        f'<Url type="text/html" template="{escape(request.url("/search"))}?q={{searchTerms}}"/>'
        "</OpenSearchDescription>\n"
    )
    return _text(body, "application/opensearchdescription+xml")


def _text(body: str, kind: str) -> Reply:
    return Reply(
        200,
        (("content-type", kind), ("cache-control", "public, max-age=3600")),
        body.encode("utf-8", "replace"),
    )
