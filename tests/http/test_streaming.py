"""Large answers: flat memory, early first bytes, limits that are told, cuts that are seen."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Running, Starter, path_of

MILLION = "SELECT ?a ?d { ?a nmo:next ?b . ?c nmo:next ?d } LIMIT 1000000"
ENDLESS = "SELECT ?a ?d ?f { ?a nmo:next ?b . ?c nmo:next ?d . ?e nmo:next ?f }"


def memory(pids: list[int]) -> int:
    """Bytes that these processes hold now."""
    total = 0
    for pid in pids:
        text = Path(f"/proc/{pid}/status").read_text()
        total += sum(int(x.split()[1]) for x in text.splitlines() if x.startswith("RssAnon")) * 1024
    return total


def pieces(server: Running, path: str, headers: dict[str, str]) -> Iterator[bytes]:
    """A reply's body as it comes."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        assert reply.status == 200
        while piece := reply.read1(1 << 16):
            yield piece
    finally:
        connection.close()


def read_to_the_end(connection: socket.socket) -> None:
    """Until the other side ends."""
    while connection.recv(1 << 20):
        pass


@pytest.mark.parametrize("accept", ["text/csv", "application/sparql-results+json"])
def test_a_million_rows_stream_with_flat_memory(starter: Starter, accept: str) -> None:
    """The first bytes come at once; no process grows by more than 64 MB."""
    server = starter(processes=1, workers=1, slow_workers=1, query_seconds=60)
    watched = [*server.serving(), *server.workers()]
    server.query("SELECT * { ?s ?p ?o FILTER(true) }")
    before, worst, size, lines = memory(watched), 0, 0, 0
    for number, piece in enumerate(pieces(server, path_of(MILLION), {"Accept": accept})):
        size += len(piece)
        lines += piece.count(b"\n")
        if number % 50 == 0:
            worst = max(worst, memory(server.serving() + server.workers()[:1]))
    assert size > 50_000_000
    if accept == "text/csv":
        assert lines == 1_000_001
    assert worst - before < 64 * 2**20


def test_a_slow_reader_holds_memory_flat_and_gets_everything(starter: Starter) -> None:
    """Back-pressure reaches the query; its clock stands still while nobody reads."""
    server = starter(processes=1, workers=1, query_seconds=2, slow_after=0.2)
    total = 0
    source = pieces(
        server,
        path_of("SELECT ?a ?d { ?a nmo:next ?b . ?c nmo:next ?d } LIMIT 120000"),
        {"Accept": "text/csv"},
    )
    for number, piece in enumerate(source):
        total += piece.count(b"\n")
        if number in (5, 20):
            time.sleep(1.5)
    assert total == 120_001


def test_who_reads_nothing_is_held_in_no_memory_and_not_for_ever(starter: Starter) -> None:
    """The engine waits for its readers; one that takes nothing for too long is let go."""
    server = starter(processes=1, workers=3, slow_workers=3, stall_seconds=3, query_seconds=20)
    server.query("SELECT * { ?s ?p ?o FILTER(true) }")
    before, worst = memory(server.serving()), 0
    readers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
    try:
        for reader in readers:
            reader.sendall(f"GET {path_of(ENDLESS)} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        for _ in range(20):
            time.sleep(0.1)
            worst = max(worst, memory(server.serving()))
        assert 'workers{state="running"} 3' in server.get("/metrics").body.decode()
        assert worst - before < 24 * 2**20
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if 'workers{state="running"} 0' in server.get("/metrics").body.decode():
                break
            time.sleep(0.1)
        else:
            raise AssertionError("those who read nothing keep their places")
    finally:
        for reader in readers:
            reader.close()


def test_a_cut_answer_never_looks_whole(starter: Starter) -> None:
    """Out of time after the first byte: the chunked body is left incomplete."""
    server = starter(processes=1, query_seconds=0.7, slow_after=0.3)
    for accept in ("application/sparql-results+json", "text/csv", "application/sparql-results+xml"):
        found = server.get(path_of(ENDLESS), accept)
        assert (found.status, found.cut) == (200, True)
    packed = server.get(path_of(ENDLESS), Accept_Encoding="gzip")
    assert packed.cut
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as old:
        old.sendall(f"GET {path_of(ENDLESS)} HTTP/1.0\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            read_to_the_end(old)
    assert server.get("/health").status == 200


def test_a_limit_of_bytes_is_told_before_the_first_byte_or_cuts(starter: Starter) -> None:
    """413 while nothing was sent; a cut connection after."""
    server = starter(processes=1, answer_bytes=30_000)
    found = server.get(path_of("SELECT * { ?s ?p ?o }"))
    assert (found.status, found.type) == (413, "application/problem+json")
    larger = starter(processes=1, answer_bytes=150_000)
    assert larger.get(path_of("SELECT * { ?s ?p ?o }")).cut


def test_a_limit_of_rows_is_told_and_never_silent(starter: Starter) -> None:
    """As many rows as allowed are answered; one more is an error, and the service says so."""
    server = starter(processes=1, query_rows=100)
    for accept in ("text/csv", "application/sparql-results+json", "application/sparql-results+xml"):
        allowed = server.query("SELECT * { ?s nmo:next ?o } LIMIT 100", accept)
        assert allowed.status == 200
        assert server.query("SELECT * { ?s nmo:next ?o } LIMIT 101", accept).status == 413
    assert b"100 rows" in server.get("/sparql", "text/turtle").body


def test_a_large_graph_streams_in_turtle_and_is_bounded_in_memory(server: Running) -> None:
    """CONSTRUCT keeps its triples, so its worker's memory limit is what bounds it."""
    found = server.query("CONSTRUCT WHERE { ?s ?p ?o }", "text/turtle")
    assert found.status == 200
    heavy = "CONSTRUCT { ?a ?d ?f } WHERE { ?a nmo:next ?b . ?c ?d ?e . ?f nmo:next ?g }"
    ended = server.query(heavy, "application/ld+json")
    assert ended.status in (413, 504)
    assert server.get("/health").status == 200


def test_a_head_of_a_query_has_no_body(server: Running) -> None:
    """Even when the answer would be long."""
    found = server.request("HEAD", path_of("SELECT ?a ?d { ?a nmo:next ?b . ?c nmo:next ?d }"))
    assert (found.status, found.body) == (200, b"")


def test_problems_are_json_whatever_the_query_says(server: Running) -> None:
    """Odd characters of a query do not break the document that tells its error."""
    for text in ("SELECT \x01\x02", 'SELECT "\\', "SELECT \U0001f9e0 {", "}" * 50, "\u2028"):
        found = server.query(text)
        assert found.status == 400
        assert json.loads(found.body)["status"] == 400


def test_answers_that_nobody_fetches_hold_no_place(starter: Starter) -> None:
    """HEAD of long answers, again and again: the lane of long queries stays free."""
    server = starter(processes=1, workers=1, slow_workers=1, parked_queries=0, query_seconds=20)
    for _ in range(6):
        server.request("HEAD", path_of("SELECT ?a ?d { ?a nmo:next ?b . ?c nmo:next ?d }"))
    metrics = server.get("/metrics").body.decode()
    assert 'neuromodkg_workers{state="running"} 0' in metrics
    assert 'neuromodkg_workers{state="slow"} 0' in metrics
