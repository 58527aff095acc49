"""/validate: what is said of data, in which forms, and what is refused."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from publisher import build, check, corpus
from tests.conftest import Answered, Running, Starter, command_of, start
from tests.lights import TINY

SH = "http://www.w3.org/ns/shacl#"
HEAD = """@prefix lv: <http://example.org/lights/ontology#> .
@prefix LGT: <http://example.org/lights/LGT_> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix source: <http://example.org/lights/source/> .
"""
GOOD = (
    HEAD + 'LGT:0099 a lv:Light ; skos:prefLabel "New"@en ; skos:definition "A new light."@en .\n'
)
# the second definition stands on line 7
BAD = (
    HEAD
    + """LGT:0099 a lv:Light ; skos:prefLabel "New"@en ; # a comment
  skos:definition "One."@en ,
    "Two."@en .
"""
)
SIGHTING = "<urn:s> a lv:Sighting ; lv:light LGT:0001 ; lv:verdict lv:Seen ; lv:statedIn {} .\n"
BOOK = "source:isbn-978-0-00-000001-9"
MANY = HEAD + "[] a lv:Light .\n" * 8000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lighthouses."""
    folder = tmp_path_factory.mktemp("validate")
    found = corpus.read(TINY)
    return build.build(found, check.judge(found, processes=1), folder / "releases")


@pytest.fixture(scope="module")
def lights(built: Path) -> Iterator[Running]:
    running = start(built, built.parent / "log", workers=1, processes=1, validate_bytes=100_000)
    yield running
    running.stop()


def send(
    site: Running, text: str | bytes, kind: str = "text/turtle", accept: str = "application/json"
) -> Answered:
    return site.request("POST", "/validate", text, {"Content-Type": kind, "Accept": accept})


def verdict(site: Running, text: str, kind: str = "text/turtle") -> Any:
    reply = send(site, text, kind)
    assert reply.status == 200, reply.body
    return reply.json()


def problem(reply: Answered) -> Any:
    assert reply.type == "application/problem+json"
    return reply.json()


# what is judged


def test_data_that_fit_conform(lights: Running) -> None:
    """And it is said how much was judged."""
    found = verdict(lights, GOOD)
    assert (found["conforms"], found["judged"], found["statements"]) == (True, 1, 3)
    assert found["findings"] == found["notes"] == []


def test_a_finding_has_its_line_its_shape_and_a_way_to_mend_it(lights: Running) -> None:
    """Comments are no obstacle."""
    found = verdict(lights, BAD)
    assert found["conforms"] is False
    assert found["counts"] == {"violation": 1, "warning": 0, "info": 0}
    (finding,) = found["findings"]
    assert (finding["severity"], finding["rule"]) == ("violation", "shape:Light-definition")
    assert finding["line"] == 6
    assert "one definition" in finding["message"]
    assert finding["fix"]


def test_what_has_no_name_is_judged_too(lights: Running) -> None:
    """Such nodes are instances like any other."""
    found = verdict(lights, HEAD + "\n[] a lv:Light ;\n  skos:prefLabel 'x'@en .\n")
    assert [f["rule"] for f in found["findings"]] == ["shape:Light-definition"]
    assert found["findings"][0]["line"] == 6
    assert "without a name" in found["findings"][0]["message"]


def test_what_data_point_at_is_looked_up_in_the_release(lights: Running) -> None:
    """A known light and source are of their classes; an unknown source is not."""
    assert verdict(lights, HEAD + SIGHTING.format(BOOK))["conforms"] is True
    found = verdict(lights, HEAD + SIGHTING.format("source:isbn-978-0-00-000001-8"))
    assert found["conforms"] is False
    assert "did you mean source:isbn-978-0-00-000001-9" in found["findings"][0]["fix"]


def test_only_what_was_sent_is_judged(lights: Running) -> None:
    """The release's own things are context: what is said of them here goes before."""
    found = verdict(lights, HEAD + "LGT:0001 a lv:Light .\n")
    assert {f["focus"] for f in found["findings"]} == {"LGT:0001"}
    assert len(found["findings"]) == 2


def test_nothing_judged_is_not_taken_for_fitting(lights: Running) -> None:
    """An empty judgement says so, and a misspelt class is pointed at."""
    found = verdict(lights, HEAD + "LGT:0099 a lv:Ligth .\n")
    assert (found["conforms"], found["judged"]) == (True, 0)
    (note,) = found["notes"]
    assert (note["rule"], note["line"], note["fix"]) == (
        "unknown-term",
        5,
        "did you mean lv:Light?",
    )
    page = send(lights, HEAD + "LGT:0099 a lv:Ligth .\n", accept="text/html").body.decode()
    assert "nothing was judged" in page


def test_what_was_retired_is_told(lights: Running) -> None:
    """With what stands in its place."""
    text = HEAD + SIGHTING.format(BOOK).replace("LGT:0001", "LGT:0003")
    (note,) = verdict(lights, text)["notes"]
    assert (note["rule"], note["fix"]) == ("retired", "use LGT:0001")


def test_json_ld_is_read_with_the_releases_own_context(lights: Running) -> None:
    """By its address, which is not fetched; lines are those of the names."""
    text = json.dumps(
        {
            "@context": "http://example.org/lights/context.jsonld",
            "@id": "LGT:0099",
            "@type": "lv:Light",
            "skos:prefLabel": {"@value": "x", "@language": "en"},
        },
        indent=1,
    )
    found = verdict(lights, text, "application/ld+json")
    assert [(f["rule"], f["line"]) for f in found["findings"]] == [("shape:Light-definition", 3)]


# in which forms


@pytest.mark.parametrize(
    "kind",
    ["text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"],
)
def test_the_report_is_shacls(lights: Running, kind: str) -> None:
    """In every graph format the same results."""
    reply = send(lights, BAD, accept=kind)
    assert (reply.status, reply.type) == (200, kind)
    form = ox.RdfFormat.from_media_type(kind)
    assert form is not None
    triples = [q.triple for q in ox.parse(reply.body, format=form)]
    said = {(t.predicate.value.removeprefix(SH), getattr(t.object, "value", "")) for t in triples}
    assert ("conforms", "false") in said
    assert ("focusNode", "http://example.org/lights/LGT_0099") in said
    assert ("sourceShape", "http://example.org/lights/shape/Light-definition") in said
    assert ("sourceConstraintComponent", SH + "MaxCountConstraintComponent") in said
    assert len([t for t in triples if t.predicate.value == SH + "result"]) == 1


def test_programs_get_a_report_and_forms_a_page(lights: Running) -> None:
    """When they do not ask for anything."""
    plain = lights.request("POST", "/validate", GOOD, {"Content-Type": "text/turtle"})
    assert (plain.status, plain.type) == (200, "text/turtle")
    assert plain.headers["cache-control"] == "no-store"
    assert plain.headers["access-control-allow-origin"] == "*"
    form = lights.request(
        "POST", "/validate", "data=", {"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert (form.status, form.type) == (400, "text/html")
    assert send(lights, GOOD, accept="image/png").status == 406


def test_a_file_is_taken_from_a_form(lights: Running) -> None:
    """Its name tells the format; it goes before what was typed."""
    parts = [
        ("data", "", "typed"),
        ("file", "mine.jsonld", '{"@id": "http://example.org/x"}'),
        ("format", "", ""),
    ]
    body = "".join(
        f'--XX\r\nContent-Disposition: form-data; name="{name}"'
        + (f'; filename="{file}"' if file else "")
        + f"\r\n\r\n{content}\r\n"
        for name, file, content in parts
    )
    reply = send(lights, body + "--XX--\r\n", "multipart/form-data; boundary=XX")
    assert reply.status == 200, reply.body
    assert reply.json()["statements"] == 0


def test_the_page_shows_findings_at_their_lines(lights: Running) -> None:
    """And keeps what was sent, as text."""
    page = send(lights, BAD + "# <script>\n", accept="text/html").body.decode()
    assert 'href="#line-6"' in page
    assert 'id="line-6"' in page
    assert 'href="/shape/Light-definition"' in page
    assert "# &lt;script&gt;" in page
    assert "# <script>" not in page


# what is refused


@pytest.mark.parametrize(
    ("text", "kind", "status", "part"),
    [
        (HEAD + "LGT:1 a lv:Light", "text/turtle", 400, ""),
        (HEAD + "LGT:1 a nope:Light .", "text/turtle", 400, "nope"),
        ("<a> a <b> .", "text/turtle", 400, ""),
        ("", "text/turtle", 400, "nothing"),
        (b"\xff\xfe", "text/turtle", 400, "UTF-8"),
        ("[" * 5000, "text/turtle", 400, "nested"),
        ("[" * 300 + "]" * 300, "application/ld+json", 400, "nested"),
        ('{"@graph":' * 20000 + "1" + "}" * 20000, "application/ld+json", 413, ""),
        ('{"@id": }', "application/ld+json", 400, "not JSON"),
        ('"text"', "application/ld+json", 400, "document"),
        ('{"@context": "http://127.0.0.1/c"}', "application/ld+json", 403, "context"),
        ('{"@context": ["http://x/c", {}]}', "application/ld+json", 403, "context"),
        ('{"@context": {"@import": "file:///etc/passwd"}}', "application/ld+json", 403, "context"),
        ('{"a": [{"@context": "//x"}]}', "application/ld+json", 403, "context"),
        ('{"@context": {"t": {"@id": "u:t", "@context": "u:c"}}}', "application/ld+json", 403, ""),
        ("<?xml version='1.0'?><rdf:RDF/>", "text/turtle", 415, "XML"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "text/turtle", 415, "XML"),
        ("<rdf:RDF/>", "application/rdf+xml", 415, "text/turtle"),
        ("x", "multipart/form-data", 400, "boundary"),
        ("x", "multipart/form-data; boundary=" + "y" * 100, 400, "boundary"),
        ("garbage", "multipart/form-data; boundary=y", 400, ""),
        ("data=x&format=n3", "application/x-www-form-urlencoded", 400, "n3"),
        ("data=%ff", "application/x-www-form-urlencoded", 400, "UTF-8"),
        (" " * 200_000, "text/turtle", 413, "100000"),
    ],
)
def test_what_cannot_be_validated_is_a_problem(
    lights: Running, text: str | bytes, kind: str, status: int, part: str
) -> None:
    """RFC 9457, with the reason; and the next one is judged as ever."""
    reply = send(lights, text, kind)
    assert reply.status == status, reply.body
    found = problem(reply)
    assert part in found["detail"] + found.get("where", "") + found.get("fix", "")
    assert verdict(lights, GOOD)["conforms"] is True


def test_a_syntax_error_has_its_place(lights: Running) -> None:
    """In the problem document, and on the page with the lines around it."""
    found = problem(send(lights, HEAD + "LGT:1 a lv:Light ;\n ; ,\n"))
    assert (found["line"], found["column"] > 0) == (6, True)
    page = send(lights, HEAD + "LGT:1 a lv:Light ;\n ; ,\n", accept="text/html")
    assert page.status == 400
    assert "    6   ; ,"[:8] in page.body.decode()
    assert "LGT:1 a lv:Light" in page.body.decode()


def test_no_context_is_ever_fetched(lights: Running) -> None:
    """Not even from this machine."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    listener = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{listener.server_port}/context"
    for context in (address, [address], {"@import": address}, {"t": {"@context": address}}):
        text = json.dumps({"@context": context, "@id": "http://example.org/x"})
        assert send(lights, text, "application/ld+json").status == 403
    listener.shutdown()
    listener.server_close()
    thread.join()
    assert asked == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_answered(lights: Running, method: str) -> None:
    """And it is said which are."""
    reply = lights.request(method, "/validate", "x", {"Content-Type": "text/turtle"})
    assert reply.status == 405
    assert "POST" in reply.headers["allow"]


def test_a_release_without_shapes_validates_nothing(server: Running) -> None:
    """Rather than calling everything fine."""
    assert server.get("/validate", "text/html").status == 404
    assert send(server, GOOD).status == 404
    assert b'href="/validate"' not in server.get("/about", "text/html").body


# limits


def test_what_takes_too_long_is_ended_and_nothing_waits_for_it(built: Path, tmp_path: Path) -> None:
    """504; meanwhile other requests are answered, and a second validation finds no place."""
    site = start(built, tmp_path / "log", processes=1, validate_seconds=4, validators=1)
    try:
        slow: list[Answered] = []
        thread = threading.Thread(target=lambda: slow.append(send(site, MANY)))
        thread.start()
        while not any(b"validation.child" in command_of(pid) for pid in all_below(site)):
            assert thread.is_alive()
        assert site.get("/health").status == 200
        assert site.get("/LGT_0001.ttl").status == 200
        second = send(site, GOOD)
        assert (second.status, second.headers["retry-after"]) == (503, "5")
        thread.join()
        assert slow[0].status == 504
        assert "4 seconds" in problem(slow[0])["detail"]
        assert verdict(site, GOOD)["conforms"] is True
    finally:
        below = all_below(site)
        site.stop()
    for _ in range(200):  # one that was just starting sees only later that its line is cut
        left = [pid for pid in below if b"validation.child" in command_of(pid)]
        if not left:
            return
        time.sleep(0.05)
    raise AssertionError(f"still there: {left}")


def all_below(site: Running) -> list[int]:
    """The process ids below the server."""
    found, ahead = [], [site.process.pid]
    while ahead:
        children = site.children(ahead.pop())
        found += children
        ahead += children
    return found


def test_what_takes_too_much_memory_is_ended(built: Path, tmp_path: Path) -> None:
    """413, not a server that swaps."""
    site = start(built, tmp_path / "log", processes=1, worker_memory=12 * 2**20)
    try:
        reply = send(site, MANY)
        assert reply.status == 413
        assert "12 MB" in problem(reply)["detail"]
        assert site.get("/health").status == 200
    finally:
        site.stop()


def test_the_editors_page_counts_as_the_endpoint_does(starter: Starter) -> None:
    """Queries that are asked there cost as much; the empty editor costs nothing."""
    site = starter(limit_loopback=True, client_errors=2)
    statuses = [site.get(f"/query?query=SELECT+{n}", "text/html").status for n in range(6)]
    assert statuses[:2] == [400, 400]
    assert statuses[-1] == 429
    assert site.get("/query", "text/html").status == 200


def test_validations_count_against_the_clients_share(built: Path, tmp_path: Path) -> None:
    """429 with the time to wait, for what cannot be read as for queries that fail."""
    site = start(built, tmp_path / "log", processes=1, limit_loopback=True, client_errors=2)
    try:
        statuses = [send(site, "no Turtle").status for _ in range(6)]  # the share comes back
        assert statuses[:2] == [400, 400]
        assert statuses[-1] == 429
        refused = send(site, GOOD)
        assert refused.status == 429
        assert int(refused.headers["retry-after"]) > 0
        assert site.get("/health").status == 200
    finally:
        site.stop()
