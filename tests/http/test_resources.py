"""Dereferencing, downloads, documents: what is not a query."""

import gzip
import hashlib
import json
import re
import time
from urllib.parse import quote

import brotli
import pyoxigraph as ox
import pytest
import zstandard

from tests.conftest import BASE, Running, Starter, path_of

GRAPH_FORMS = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
    "nq": "application/n-quads",
    "trig": "application/trig",
}


def triples(body: bytes, kind: str) -> set[ox.Triple]:
    """What an answer in a graph format says."""
    form = ox.RdfFormat.from_media_type(kind)
    assert form is not None
    return {quad.triple for quad in ox.parse(body, format=form)}


@pytest.mark.parametrize(
    "path", ["/NMOD_0000001", "/source/doi-10.1111-ner.12208", "/graph/concepts"]
)
def test_every_form_of_a_resource_holds_the_same_triples(server: Running, path: str) -> None:
    """By Accept and by suffix, in all six graph formats."""
    plain = triples(server.get(path, "application/n-triples").body, "application/n-triples")
    assert plain
    for suffix, kind in GRAPH_FORMS.items():
        asked, named = server.get(path, kind), server.get(f"{path}.{suffix}")
        assert (asked.status, asked.type, named.status, named.type) == (200, kind, 200, kind)
        assert triples(asked.body, kind) == triples(named.body, kind) == plain


def test_a_browser_gets_a_page_whose_links_stay_on_the_host(server: Running) -> None:
    """Our own names link to this host, and what they show is escaped."""
    found = server.get("/claim/one.1", "text/html,*/*;q=0.8")
    assert (found.status, found.type) == (200, "text/html")
    assert b'href="/NMOD_0000001"' in found.body
    odd = server.get("/NMOD_0000003.html")
    assert b"&lt;b&gt;" in odd.body
    assert b"<b>" not in odd.body


@pytest.mark.parametrize("accept", ["image/png", "application/x-nothing", "nonsense", None])
def test_an_unusable_accept_gets_the_default_form(server: Running, accept: str | None) -> None:
    """Public FAIR clients depend on it."""
    found = server.get("/NMOD_0000001", accept)
    assert (found.status, found.type) == (200, "text/html")


@pytest.mark.parametrize(
    "path",
    ["/NMOD_9999999", "/nothing", "/claim/%C3%A9", "/a%00b", "/%ff", "/x%20y", "/<x>", "/%3Cx%3E"],
)
def test_what_is_not_known_is_404(server: Running, path: str) -> None:
    """In every form, and however odd the path."""
    for accept in ("text/turtle", "text/html", "application/json"):
        found = server.get(quote(path, safe="/%"), accept)
        assert found.status == 404
        assert found.headers["access-control-allow-origin"] == "*"
        assert (b"</nav>" in found.body) == (accept == "text/html")  # the page itself did not fail


def test_a_retired_resource_is_gone_but_still_described(server: Running) -> None:
    """410, with its triples."""
    found = server.get("/NMOD_0000002", "text/turtle")
    assert found.status == 410
    assert triples(found.body, "text/turtle")
    assert server.get("/NMOD_0000002", "text/html").status == 410


@pytest.mark.parametrize(
    "path", ["/NMOD_0000001", "/downloads/all.nt", path_of("ASK {}"), "/context.jsonld"]
)
def test_a_known_validator_is_answered_304(server: Running, path: str) -> None:
    """Weak or strong, alone or in a list; 304 carries validators and no body."""
    first = server.get(path)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    for wanted in (tag, f'"other", {tag}', f"W/{tag}"):
        again = server.get(path, If_None_Match=wanted)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["access-control-allow-origin"] == "*"
    assert server.get(path, If_None_Match='"other"').status == 200


def test_validators_differ_by_form_and_stay_the_same_between_processes(server: Running) -> None:
    """The same representation has one tag wherever it was made."""
    kinds = ["text/turtle", "application/n-triples", "application/ld+json", "text/html"]
    tags = {kind: server.get("/NMOD_0000001", kind).headers["etag"] for kind in kinds}
    assert len(set(tags.values())) == len(kinds)
    for _ in range(8):
        assert server.get("/NMOD_0000001", "text/turtle").headers["etag"] == tags["text/turtle"]


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_bodies_are_compressed_where_asked(server: Running, coding: str) -> None:
    """Whole and streamed answers, with a validator of their own."""
    open_it = {
        "gzip": gzip.decompress,
        "br": brotli.decompress,
        "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    }[coding]
    for path in (
        "/graph/concepts.nt",
        path_of("SELECT * { ?s ?p ?o }"),
        path_of("SELECT * { ?s nmo:next ?o . ?a a ?b }"),
    ):
        plain, packed = server.get(path), server.get(path, Accept_Encoding=coding)
        assert packed.headers["content-encoding"] == coding
        assert "accept-encoding" in packed.headers["vary"].lower()
        assert packed.headers["etag"] != plain.headers["etag"]
        assert len(open_it(packed.body)) == len(plain.body)
        again = server.get(path, Accept_Encoding=coding, If_None_Match=packed.headers["etag"])
        assert again.status == 304


@pytest.mark.parametrize(
    "wish", ["identity", "gzip;q=0", "*;q=0", "deflate", "gzip;q=0, identity", ""]
)
def test_bodies_are_left_alone_where_not(server: Running, wish: str) -> None:
    """Only codings that were asked for are used."""
    assert "content-encoding" not in server.get("/graph/concepts.nt", Accept_Encoding=wish).headers


def test_downloads_are_the_files_that_the_manifest_lists(server: Running) -> None:
    """With their sums, in one piece or in parts."""
    index = json.loads(server.get("/downloads/", "application/json").body)
    entry = index["files"]["all.nt"]
    found = server.get("/downloads/all.nt")
    assert hashlib.sha256(found.body).hexdigest() == entry["sha256"]
    assert int(found.headers["content-length"]) == entry["bytes"]
    part = server.get("/downloads/all.nt", Range="bytes=10-19")
    assert (part.status, part.body) == (206, found.body[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{entry['bytes']}"
    assert server.get("/downloads/all.nt", Range="bytes=-5").body == found.body[-5:]
    assert server.get("/downloads/all.nt", Range=f"bytes={entry['bytes']}-").status == 416
    assert server.get("/downloads/all.nt", Range="bytes=5-1").status == 416
    assert server.get("/downloads/all.nt", Range="nonsense").body == found.body
    head = server.request("HEAD", "/downloads/all.nt")
    assert (head.body, head.headers["content-length"]) == (b"", str(entry["bytes"]))
    assert b"all.nt" in server.get("/downloads/", "text/html").body


@pytest.mark.parametrize(
    "path",
    [
        "/downloads/../manifest.json",
        "/downloads/..%2Fmanifest.json",
        "/downloads/%2e%2e/graph.toml",
        "/downloads//etc/passwd",
        "/downloads/%2Fetc%2Fpasswd",
        "/downloads/all.nt%00.ttl",
        "/../../../../etc/passwd",
        "/..%5c..%5cetc",
        "/downloads/store/CURRENT",
        "/manifest.json",
    ],
)
def test_no_other_file_can_be_reached(server: Running, path: str) -> None:
    """Only names in the manifest are files."""
    found = server.raw(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert found.split(b" ")[1] in (b"404", b"400")
    assert b"root:" not in found


def test_documents_come_in_their_prebuilt_forms(server: Running) -> None:
    """The vocabulary from its file, the description in any graph format."""
    assert server.get("/ontology", "text/turtle").body == b"# the vocabulary\n"
    for path in ("/dataset", "/.well-known/void"):
        found = server.get(path, "application/n-triples")
        assert found.status == 200
        assert f"<{BASE}dataset>".encode() in found.body
    assert server.get("/context.jsonld").json()["@context"]


def test_health_names_the_release(server: Running) -> None:
    """And the number of its triples."""
    found = server.get("/health")
    assert found.status == 200
    assert found.json()["release"] == "2026-11-22"
    assert int(str(found.json()["triples"])) > 1000


def test_metrics_are_for_prometheus_and_add_up(server: Running) -> None:
    """Whoever is asked answers for all serving processes."""

    def total() -> float:
        lines = server.get("/metrics").body.decode().splitlines()
        return float(
            next(
                x for x in lines if x.startswith('neuromodkg_requests_total{status="4xx"}')
            ).split()[-1]
        )

    before = total()
    for _ in range(10):
        server.get("/nothing")
    end = time.monotonic() + 5  # a request is counted when it is over, just after its last byte
    while total() < before + 10 and time.monotonic() < end:
        time.sleep(0.05)
    assert total() >= before + 10


def test_metrics_name_each_family_once(server: Running) -> None:
    """HELP and TYPE stand once, before the samples of their family, and no sample twice."""
    text = server.get("/metrics").body.decode()
    assert text.endswith("\n")
    told: list[tuple[str, str]] = []
    families: list[str] = []
    samples: list[str] = []
    for line in text.splitlines():
        if line.startswith("# "):
            _, what, family, rest = line.split(" ", 3)
            assert rest
            told.append((what, family))
            continue
        match = re.fullmatch(r'([a-z_]+)(\{(?:[a-z]+="[^"\\\n]*",?)+\})? ([0-9.e+]+)', line)
        assert match, line
        assert told[-2:] == [("HELP", match[1]), ("TYPE", match[1])]
        samples.append(match[1] + (match[2] or ""))
        families.append(match[1])
    assert len(set(told)) == len(told) == 2 * len(set(families))
    assert len(set(samples)) == len(samples)
    assert {"neuromodkg_requests_total", "neuromodkg_workers"} <= set(families)


def test_every_reply_has_its_headers(server: Running) -> None:
    """Pages, data, errors, empty ones: CORS, no sniffing, a policy, a request id."""
    for path in (
        "/",
        "/NMOD_0000001",
        "/nothing",
        path_of("ASK {}"),
        path_of("x"),
        "/health",
        "/downloads/",
    ):
        found = server.get(path)
        assert found.headers["access-control-allow-origin"] == "*"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in found.headers["content-security-policy"]
        assert "unsafe-inline" not in found.headers["content-security-policy"]
        assert found.headers["referrer-policy"]
        assert found.headers["x-request-id"]
        assert "access-control-allow-credentials" not in found.headers


def test_a_site_may_be_mounted_under_a_path(starter: Starter) -> None:
    """Every address moves, the names in the data do not."""
    server = starter(prefix="/kg", processes=1)
    assert server.get("/kg/NMOD_0000001.nt").status == 200
    assert server.get("/NMOD_0000001.nt").status == 404
    assert b'href="/kg/NMOD_0000001"' in server.get("/kg/claim/one.1", "text/html").body
    assert (
        f"<{server.url}/kg/sparql>".encode()
        in server.get("/kg/sparql", "application/n-triples").body
    )
    assert server.get("/kg" + path_of("ASK {}")).status == 200


def test_a_proxy_is_believed_only_when_it_is_trusted(starter: Starter, server: Running) -> None:
    """Forwarded headers of anybody else change nothing."""
    forwarded = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "kg.example.org",
        "X-Forwarded-For": "9.9.9.9",
    }
    accept = {"Accept": "application/n-triples"}
    assert (
        b"kg.example.org" not in server.request("GET", "/sparql", headers=forwarded | accept).body
    )
    trusting = starter(trusted_proxies="127.0.0.0/8", processes=1)
    standard = {"Forwarded": 'for="[2001:db8::1]:4711";host=kg.example.org;proto=https'}
    assert b"kg.example.org" not in server.request("GET", "/sparql", headers=standard).body
    for headers in (forwarded, standard):
        for _ in range(2):  # the second time out of the cache
            found = trusting.request("GET", "/sparql", headers=headers | accept)
            assert b"<https://kg.example.org/sparql>" in found.body
    assert b"kg.example.org" not in trusting.request("GET", "/sparql", headers=accept).body


def test_a_proxy_may_take_a_path_away(starter: Starter) -> None:
    """X-Forwarded-Prefix of a trusted proxy stands in links; one that is no path does not."""
    server = starter(trusted_proxies="127.0.0.0/8", processes=1)
    for told, shown in (("/kg/", "/kg"), ("//evil.example", ""), ('/a"><b>', ""), ("/../x", "")):
        for _ in range(2):
            headers = {"X-Forwarded-Prefix": told, "Accept": "text/html"}
            found = server.request("GET", "/claim/one.1", headers=headers)
            assert f'href="{shown}/NMOD_0000001"'.encode() in found.body
            headers["Accept"] = "application/n-triples"
            described = server.request("GET", "/sparql", headers=headers).body
            assert f"<{server.url}{shown}/sparql>".encode() in described
