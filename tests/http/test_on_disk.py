"""A release that is too large for memory is served from disk: the same answers, as safe."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import BASE, Running, command_of, path_of, start
from tests.security.hostile import RUNAWAY, deep

TABLES = [
    "SELECT * { NMOD:0000001 ?p ?o }",
    "SELECT ?s { ?s ?p ?o } ORDER BY ?s LIMIT 5",
    "SELECT ?s { ?s ?p 7 }",
    "SELECT ?a ?c { ?a nmo:next ?b . ?b nmo:next ?c FILTER(STRENDS(STR(?a), '/7')) }",
    f"SELECT (COUNT(*) AS ?n) {{ <{BASE}item/1> nmo:next+ ?x }}",
    "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p",
    "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g",
    f"SELECT * FROM <{BASE}graph/one> FROM <{BASE}graph/two> {{ ?s a ?o }}",
    f"SELECT * FROM NAMED <{BASE}graph/two> {{ GRAPH ?g {{ ?s ?p ?o }} }}",
    "SELECT * { ?s skos:note ?o OPTIONAL { ?s nmo:therapy ?t } }",
]
GRAPHS = [
    "CONSTRUCT { ?s a ?c } WHERE { ?s a ?c }",
    "CONSTRUCT WHERE { ?s ?p ?o }",
    "DESCRIBE NMOD:0000001",
]
PATHS = ["/NMOD_0000001.nt", "/graph/concepts.nt", "/claim/one.1.nt", "/dataset"]


@pytest.fixture(scope="module")
def disk(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that holds nothing in memory."""
    log = tmp_path_factory.mktemp("disk") / "log"
    running = start(release, log, memory_triples=0, processes=1, workers=2, query_seconds=2)
    yield running
    running.stop()


def test_the_store_is_really_on_disk(disk: Running, server: Running) -> None:
    """Query processes are programs of their own, not children that share memory."""
    assert len(disk.workers()) == 2
    assert all(b"engine.worker" in command_of(pid) for pid in disk.workers())
    assert not any(b"engine.worker" in command_of(pid) for pid in server.workers())


@pytest.mark.parametrize("query", TABLES)
def test_a_table_is_the_same_from_disk(disk: Running, server: Running, query: str) -> None:
    """Lookups, joins, paths, aggregates, datasets; as a table the order is nobody's."""
    ours, theirs = disk.query(query, "text/csv"), server.query(query, "text/csv")
    assert ours.status == theirs.status == 200
    assert sorted(ours.body.splitlines()) == sorted(theirs.body.splitlines())
    assert len(ours.body.splitlines()) > 1
    assert ours.headers["etag"] == theirs.headers["etag"]


@pytest.mark.parametrize("query", GRAPHS)
def test_a_graph_is_the_same_from_disk(disk: Running, server: Running, query: str) -> None:
    """CONSTRUCT and DESCRIBE."""
    ours, theirs = (one.query(query, "application/n-triples") for one in (disk, server))
    assert ours.status == theirs.status == 200
    assert set(ours.body.splitlines()) == set(theirs.body.splitlines())


@pytest.mark.parametrize("path", PATHS)
def test_a_resource_is_the_same_from_disk(disk: Running, server: Running, path: str) -> None:
    """Data of a path, in any order of its triples."""
    ours, theirs = (one.get(path, "application/n-triples") for one in (disk, server))
    assert ours.status == theirs.status == 200
    assert set(ours.body.splitlines()) == set(theirs.body.splitlines())


def test_runaways_and_deep_queries_end_over_a_store_on_disk(disk: Running) -> None:
    """Out of time, memory or depth: never the serving process."""
    serving = disk.serving()
    shapes = deep(20_000)
    chosen = [*RUNAWAY.values(), shapes["nested STR"], shapes["nested groups"], shapes["or chain"]]
    for query in chosen:
        found = disk.query(query, "text/csv", seconds=20)
        assert found.status in (200, 400, 413, 503, 504)
        assert disk.query("SELECT * { ?s ?p ?o FILTER(true) } LIMIT 1").status == 200
    assert disk.serving() == serving


def test_the_death_of_a_program_is_one_failed_query(disk: Running) -> None:
    """Another takes its place."""
    statuses: list[int] = []
    cross = RUNAWAY["three-way cross join"]
    thread = threading.Thread(target=lambda: statuses.append(disk.query(cross).status))
    thread.start()
    time.sleep(0.5)
    for pid in disk.workers():
        os.kill(pid, signal.SIGKILL)
    thread.join()
    assert statuses == [503]
    end = time.monotonic() + 10
    while len(disk.workers()) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert disk.query("SELECT * { ?s ?p ?o FILTER(true) } LIMIT 1").status == 200


def test_a_client_that_leaves_ends_its_program(disk: Running) -> None:
    """In the middle of an answer that has no end."""
    query = "SELECT ?a ?d ?f { ?a nmo:next ?b . ?c nmo:next ?d . ?e nmo:next ?f }"
    before = set(disk.workers())
    with socket.create_connection(("127.0.0.1", disk.port), timeout=10) as connection:
        connection.sendall(f"GET {path_of(query)} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        got = 0
        while got < 500_000:
            got += len(connection.recv(65536))
    end = time.monotonic() + 5
    while before <= set(disk.workers()) and time.monotonic() < end:
        time.sleep(0.05)
    assert not before <= set(disk.workers())
    assert b'workers{state="running"} 0' in disk.get("/metrics").body


def test_a_long_answer_streams_from_disk(disk: Running) -> None:
    """To its last row."""
    query = "SELECT ?a ?d { ?a nmo:next ?b . ?c nmo:next ?d } LIMIT 50000"
    found = disk.get(path_of(query), "text/csv")
    assert (found.status, found.cut) == (200, False)
    assert found.body.count(b"\n") == 50_001
