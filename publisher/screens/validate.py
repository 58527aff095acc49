"""`/validate`: whether somebody's data fit the shapes of the release."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyoxigraph import RdfFormat, Triple, parse

from publisher.errors import (
    BadRequest,
    Malformed,
    NotAcceptable,
    NotFound,
    Overloaded,
    RequestError,
    TooLarge,
    UnsupportedMedia,
)
from publisher.formats import BY_NAME, GRAPHS, HTML, Choice, Format, negotiate
from publisher.protocol import forms, problems
from publisher.protocol.resources import write
from publisher.protocol.values import Reply, Request, Site
from publisher.screens.desk import Desk, desk_of, page, shell
from publisher.screens.shapes import FILE as SHAPES
from publisher.validation import Bench, Judged, Submission

JSON = Format("verdict", "application/json", "json", "page")
TURTLE = "text/turtle"
# what a body may be, when it is not a form: media type → format
DIRECT = {
    TURTLE: "turtle",
    "application/x-turtle": "turtle",
    "application/turtle": "turtle",
    "application/n-triples": "turtle",  # every such text is Turtle
    "application/ld+json": "jsonld",
    "application/json": "jsonld",
}
SUFFIXES = {"ttl": "turtle", "nt": "turtle", "jsonld": "jsonld", "json": "jsonld"}
SHOWN_LINES = 3000
_REPORTS = tuple(row for row in GRAPHS if row.carries == "graph")


@dataclass(frozen=True)
class Line:
    """One line of what was sent, and the findings on it."""

    number: int
    text: str
    findings: tuple[Mapping[str, Any], ...]


def validate(site: Site, request: Request) -> Reply:
    """GET: the form. POST: the verdict on a form's data or on a body in Turtle or JSON-LD."""
    if SHAPES not in site.manifest.files:
        raise NotFound("this release has no shapes to validate by", where=request.path)
    if request.method != "POST":
        return form_page(desk_of(site), request)
    kind, _ = forms.content_type(request.headers.get("content-type", ""))
    choice = choose(request, as_form=kind in forms.FORMS)
    submission = Submission("")
    try:
        submission = read(site, request, kind)
        judged = bench_of(site).judge(submission)
    except RequestError as error:
        if choice.format is HTML and not isinstance(error, Overloaded):
            return form_page(desk_of(site), request, submission, wrong=error)
        raise
    return told(site, request, submission, judged, choice)


def choose(request: Request, *, as_form: bool) -> Choice:
    """A page for forms, a report for programs, unless they ask for something else."""
    offered = (HTML, JSON, *_REPORTS) if as_form else (*_REPORTS, JSON, HTML)
    choice = negotiate(request.accept, offered)
    if choice is None:
        raise NotAcceptable(
            "the report does not come in any of these forms",
            offered=tuple(row.media_type for row in offered),
            where=f"Accept: {request.accept}"[:200],
            fix="accept one of: " + ", ".join(row.media_type for row in offered),
        )
    return choice


def read(site: Site, request: Request, kind: str) -> Submission:
    """What was sent, and in which format."""
    if kind in forms.FORMS:
        found = _of_form(forms.fields(request))
    elif kind in DIRECT:
        found = Submission(forms.utf8(request.body), DIRECT[kind])
    else:
        raise UnsupportedMedia(
            f"data do not come as {kind or 'a body without a media type'} here",
            fix="send text/turtle, application/n-triples, application/ld+json, or a form",
        )
    limit = site.settings.validate_bytes
    if len(found.text.encode("utf-8", "replace")) > limit:
        raise TooLarge(f"the data are larger than {limit} bytes", fix="send a part of them")
    if not found.text.strip():
        raise BadRequest("there is nothing to validate", fix="paste some Turtle or JSON-LD")
    return found


def _of_form(values: Sequence[forms.Value]) -> Submission:
    """A file goes before what was pasted; its name tells the format, unless the form does."""
    known = {value.name: value for value in values if value.content}
    format_field = known.get("format")
    named = format_field.text if format_field else ""
    if named not in ("", *DIRECT.values()):
        raise BadRequest(f"{named[:50]} is no format here", fix="turtle or jsonld")
    chosen = known.get("file") or known.get("data")
    if chosen is None:
        return Submission("")
    guessed = SUFFIXES.get(chosen.file.rpartition(".")[2].lower(), "")
    # a text field comes with the line ends of the web
    text = chosen.text if chosen.file else chosen.text.replace("\r\n", "\n")
    return Submission(text, named or guessed)


def bench_of(site: Site) -> Bench:
    """The processes that judge; made when the first data come."""
    found = site.shelf.get("bench")
    if not isinstance(found, Bench):
        known = site.settings
        found = site.shelf.setdefault(
            "bench",
            Bench(
                site.release_dir,
                places=known.validators,
                seconds=known.validate_seconds,
                megabytes=known.worker_memory // 2**20,
            ),
        )
    assert isinstance(found, Bench)
    return found


def told(
    site: Site, request: Request, submission: Submission, judged: Judged, choice: Choice
) -> Reply:
    """The verdict in the chosen form."""
    if choice.format is HTML:
        return form_page(desk_of(site), request, submission, judged=judged)
    if choice.format is JSON:
        body = json.dumps(as_json(site, judged), ensure_ascii=False, indent=1) + "\n"
        return _reply(site, choice, body.encode("utf-8", "replace"))
    return _reply(site, choice, write(site, report(judged), choice.format.name))


def as_json(site: Site, judged: Judged) -> dict[str, Any]:
    """What programs get: findings with lines."""

    def plain(finding: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in finding.items() if k != "file"}

    return {
        "release": site.release,
        "conforms": judged.conforms,
        "statements": judged.statements,
        "judged": judged.judged,
        "counts": judged.counts,
        "findings": [plain(f) for f in judged.findings],
        "notes": [plain(f) for f in judged.notes],
        "more": judged.more,
    }


def report(judged: Judged) -> list[Triple]:
    """The SHACL report."""
    quads = parse(judged.report.encode(), format=RdfFormat.N_TRIPLES)
    return sorted((quad.triple for quad in quads), key=_by_node)


def _by_node(triple: Triple) -> tuple[bool, str, str, str]:
    """The report itself first."""
    first = str(triple.subject) != "_:report"
    return (first, str(triple.subject), str(triple.predicate), str(triple.object))


def _reply(site: Site, choice: Choice, body: bytes) -> Reply:
    return Reply(
        200,
        (
            ("content-type", choice.content_type),
            ("vary", "Accept"),
            ("cache-control", "no-store"),
            ("x-release", site.release),
        ),
        body,
    )


def form_page(
    desk: Desk,
    request: Request,
    submission: Submission | None = None,
    judged: Judged | None = None,
    wrong: RequestError | None = None,
) -> Reply:
    """The form, with what was sent and what is said of it."""
    title = "Validate"
    if judged is not None:
        violations = judged.counts["violation"]
        title = f"{violations} violation{'s' * (violations != 1)}" if violations else "No violation"
    elif wrong is not None:
        title = "Cannot be read"
    text = submission.text if submission else ""
    findings = sorted(
        (
            {**finding, "href": _address(desk, request, finding["rule"])}
            for finding in (*judged.findings, *judged.notes)
        )
        if judged
        else (),
        key=lambda f: (not f["line"], f["line"]),
    )
    frame = shell(
        desk,
        request,
        title,
        description="Check Turtle or JSON-LD against the shapes of this release.",
    )
    made = page(
        desk,
        request,
        "validate.html",
        frame,
        status=problems.status_of(wrong) if wrong else 200,
        text=text,
        form=submission.form if submission else "",
        judged=judged,
        findings=findings,
        lines=_lines(text, findings) if judged else (),
        cut=text.count("\n") >= SHOWN_LINES,
        wrong=wrong,
        line=wrong.line if isinstance(wrong, Malformed) else 0,
        around=_around(text, wrong) if isinstance(wrong, Malformed) else "",
        limits=desk.site.settings,
        endpoint=request.url("/validate"),
        formats=(("", "guess it"), *((n, BY_NAME[n].media_type) for n in ("turtle", "jsonld"))),
    )
    if request.method != "POST":
        return made
    kept = tuple(pair for pair in made.headers if pair[0] != "etag")
    return Reply(made.status, kept, made.body).with_headers(("cache-control", "no-store"))


def _address(desk: Desk, request: Request, rule: str) -> str:
    """The page of the shape that a rule names; empty for a rule that is none."""
    path = desk.site.names.path(desk.site.names.prefixes.expand(rule) or "")
    return request.prefix + path if path else ""


def _lines(text: str, findings: Sequence[Mapping[str, Any]]) -> list[Line]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    for each in findings:
        found.setdefault(each["line"], []).append(each)
    return [
        Line(number, line, tuple(found.get(number, ())))
        for number, line in enumerate(text.split("\n")[:SHOWN_LINES], 1)
    ]


def _around(text: str, wrong: Malformed) -> str:
    """A few lines before and after the place of a fault, with their numbers."""
    lines = text.split("\n")
    first = max(0, wrong.line - 3)
    part = list(enumerate(lines, 1))[first : wrong.line + 2]
    return "\n".join(f"{number:>5}  {line[:500]}" for number, line in part) if wrong.line else ""
