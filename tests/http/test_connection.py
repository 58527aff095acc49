"""HTTP/1.1 on the wire (RFC 9112): framing, order, persistence, limits; byte by byte."""

import contextlib
import http.client
import io
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Running, Starter, path_of

HOST = b"Host: a\r\n"
ASK = b"Accept: text/csv\r\nContent-Type: application/sparql-query\r\n"
LONG = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


def replies(data: bytes, method: str = "GET") -> list[tuple[int, dict[str, str], bytes]]:
    """All replies in a stream, read by a parser that is not ours."""
    found = []
    source = io.BytesIO(data)
    while source.tell() < len(data):
        reply = http.client.HTTPResponse(cast(socket.socket, _Wire(source)), method=method)
        reply.begin()
        body = reply.read()
        found.append((reply.status, {k.lower(): v for k, v in reply.getheaders()}, body))
    return found


class _Wire:
    """What the standard library's parser reads a reply from."""

    def __init__(self, source: io.BytesIO) -> None:
        self.source = source

    def makefile(self, *_: object) -> io.BufferedReader:
        """One that stays open for the next reply."""
        return _Kept(self.source)


class _Kept(io.BufferedReader):
    """A reader that stays open when a reply has been read."""

    def __init__(self, source: io.BytesIO) -> None:
        self.source = source

    def readline(self, size: int | None = -1, /) -> bytes:
        return self.source.readline(-1 if size is None else size)

    def read(self, size: int | None = -1, /) -> bytes:
        return self.source.read(-1 if size is None else size)

    def readinto(self, target: object, /) -> int:
        return self.source.readinto(cast(bytearray, target))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def post(query: str, *lines: bytes) -> bytes:
    """A direct query."""
    body = query.encode()
    more = b"".join(line + b"\r\n" for line in lines)
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST /sparql HTTP/1.1\r\n" + HOST + ASK + more + length + b"\r\n" + body


def get(path: str, *lines: bytes) -> bytes:
    """A GET of this path."""
    more = b"".join(line + b"\r\n" for line in lines)
    return b"GET " + path.encode() + b" HTTP/1.1\r\n" + HOST + more + b"\r\n"


STREAM = b"".join(
    [
        get(path_of("SELECT (1 AS ?x) {}"), b"Accept: text/csv"),
        post("SELECT (2 AS ?x) {}"),
        b"POST /sparql HTTP/1.1\r\n" + HOST + ASK + b"Transfer-Encoding: chunked\r\n\r\n"
        b"a;x=y\r\nSELECT (3 \r\n9\r\nAS ?x) {}\r\n0\r\nTrail: er\r\n\r\n",
        b"\r\n" + get("/nothing"),
        b"HEAD /health HTTP/1.1\r\n" + HOST + b"\r\n",
        get("http://b.example/health"),
        get(path_of("SELECT (4 AS ?x) {}"), b"Accept: text/csv", b"Connection: close"),
    ]
)


def told(data: bytes) -> list[tuple[int, bytes]]:
    """Status and body of the replies to STREAM; the fifth is to HEAD and has no body."""
    before, mark, after = data.partition(b"HTTP/1.1 404")
    rest = (mark + after).split(b"HTTP/1.1 ")
    head = b"HTTP/1.1 " + rest[2]
    assert head.endswith(b"\r\n\r\n"), "HEAD has a body"
    others = before + b"HTTP/1.1 " + rest[1] + b"".join(b"HTTP/1.1 " + r for r in rest[3:])
    return [(status, body) for status, _, body in replies(others)]


@settings(max_examples=40, deadline=None, suppress_health_check=[*HealthCheck])
@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=12))
def test_the_replies_do_not_depend_on_how_the_bytes_arrive(
    server: Running, places: list[int]
) -> None:
    """Seven requests of all kinds on one connection, cut into packets anywhere."""
    cuts = [0, *sorted(set(places)), len(STREAM)]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start, end in itertools.pairwise(cuts):
            wire.sendall(STREAM[start:end])
            time.sleep(0.001)
        found = b""
        while piece := wire.recv(65536):
            found += piece
    one, two, three, none, health, four = told(found)
    assert [one, two, three, four] == [(200, b"x\r\n%d\r\n" % n) for n in (1, 2, 3, 4)]
    assert none[0] == 404
    assert health[0] == 200


def test_one_byte_at_a_time(server: Running) -> None:
    """The slowest honest client."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post("ASK {}", b"Connection: close"):
            wire.sendall(bytes([byte]))
        found = b""
        while piece := wire.recv(65536):
            found += piece
    assert replies(found)[0][0] == 200


def test_a_thousand_requests_in_one_packet_keep_their_order(server: Running) -> None:
    """However many come at once; remembered, bounded and long ones among each other."""
    paths = [path_of(f"SELECT ({n % 7 * n} AS ?x) {{}}") for n in range(1000)]
    sent = b"".join(get(path, b"Accept: text/csv") for path in paths)
    found: list[bytes] = []

    def read(wire: socket.socket) -> None:
        with contextlib.suppress(TimeoutError):
            while piece := wire.recv(65536):
                found.append(piece)

    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as wire:
        reader = threading.Thread(target=read, args=(wire,))
        reader.start()
        wire.sendall(sent + get("/health", b"Connection: close"))
        reader.join()
    bodies = [body for _, _, body in replies(b"".join(found))]
    assert bodies[:-1] == [b"x\r\n%d\r\n" % (n % 7 * n) for n in range(1000)]


@pytest.mark.parametrize("apart", [False, True])
def test_a_wish_for_another_protocol_is_ignored_and_its_body_read(
    server: Running, apart: bool
) -> None:
    """Java's client asks for h2c with each request; and the connection stays open after it."""
    wish = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAEAAEAA")
    first = post("SELECT (1 AS ?x) {}", *wish)
    rest = get("/health", *wish) + post("SELECT (2 AS ?x) {}", b"Connection: close")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        head, _, body = first.partition(b"\r\n\r\n")
        wire.sendall(head + b"\r\n\r\n")
        if apart:
            time.sleep(0.05)
        wire.sendall(body[:4])
        if apart:
            time.sleep(0.05)
        wire.sendall(body[4:] + rest)
        found = b""
        while piece := wire.recv(65536):
            found += piece
    one, health, two = replies(found)
    assert (one[0], one[2]) == (200, b"x\r\n1\r\n")
    assert health[0] == 200
    assert (two[0], two[2]) == (200, b"x\r\n2\r\n")


def test_who_waits_to_be_told_to_go_on_is_told(server: Running) -> None:
    """Expect: 100-continue (RFC 9110, section 10.1.1)."""
    head, _, body = post("ASK {}", b"Expect: 100-continue", b"Connection: close").partition(
        b"\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        wire.sendall(head + b"\r\n\r\n")
        assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.sendall(body)
        assert b" 200 OK" in wire.recv(4000)


def test_a_refusal_is_read_though_the_body_was_not(server: Running) -> None:
    """Closing with unread bytes would reset the connection before the reply arrived."""
    size = 50_000_000
    head = b"POST /sparql HTTP/1.1\r\n" + HOST + ASK + b"Content-Length: %d\r\n\r\n" % size
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        wire.sendall(head + b"a" * 100_000)
        time.sleep(0.3)
        wire.sendall(b"a" * 100_000)
        found = b""
        while piece := wire.recv(65536):
            found += piece
    (reply,) = replies(found)
    assert reply[0] == 413
    assert reply[1]["connection"] == "close"


def test_http_1_0_closes_unless_asked_not_to(server: Running) -> None:
    """And says that it does not."""
    once = server.raw(b"GET /health HTTP/1.0\r\n\r\n", seconds=5)
    assert len(replies(once)) == 1
    keep = b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    twice = replies(server.raw(keep + b"GET /health HTTP/1.0\r\n\r\n", seconds=5))
    assert len(twice) == 2
    assert twice[0][1]["connection"] == "keep-alive"
    assert "transfer-encoding" not in twice[0][1]


def test_a_stream_to_http_1_0_ends_with_its_connection(server: Running) -> None:
    """There are no chunks before HTTP/1.1."""
    query = "SELECT * { VALUES ?n { 1 2 3 4 5 6 7 8 9 } ?s ?p ?o . ?x ?y ?z } LIMIT 40000"
    path = path_of(query).encode()
    found = server.raw(b"GET " + path + b" HTTP/1.0\r\nAccept: text/csv\r\n\r\n", seconds=10)
    head, _, body = found.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert body.count(b"\r\n") == 40_001


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 101 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 200_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431),
        (b"GET / HTTP/1.1\n" + HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b" folded: line\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n", 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (post("ASK {}", b"Transfer-Encoding: chunked"), 400),
        (post("ASK {}", b"Content-Length: 6"), 400),
        (post("ASK {}", b"Content-Length: +6"), 400),
        (post("ASK {}").replace(b"Length: 6", b"Length: 99999999999999999999999"), 400),
        (b"POST /sparql HTTP/1.1\r\n" + HOST + ASK + b"Transfer-Encoding: gzip\r\n\r\nx", 400),
        (
            b"POST /sparql HTTP/1.1\r\n" + HOST + ASK + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
            400,
        ),
        (b"BREW /health HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    ],
)
def test_what_is_no_request_is_refused_in_words(server: Running, data: bytes, status: int) -> None:
    """With a problem document, the connection closed, and nothing read after it."""
    found = server.raw(data + get("/health"), seconds=5)
    (reply,) = replies(found)
    assert reply[0] == status
    assert reply[1]["content-type"] == "application/problem+json"
    assert reply[1]["connection"] == "close"
    assert b'"detail"' in reply[2]


def test_what_came_before_the_nonsense_is_answered(server: Running) -> None:
    """In order, then the refusal."""
    sent = get("/health") + get(path_of("SELECT (1 AS ?x) {}"), b"Accept: text/csv") + b"\x00\x01"
    assert [status for status, _, _ in replies(server.raw(sent, seconds=5))] == [200, 200, 400]


@pytest.fixture(scope="module")
def hasty(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that waits for nobody, in one process, with few connections."""
    from tests.conftest import start

    log = tmp_path_factory.mktemp("hasty") / "log"
    running = start(
        release, log, processes=1, header_seconds=1, idle_seconds=1, connections=20, stall_seconds=1
    )
    yield running
    running.stop()


def test_headers_that_do_not_come_are_not_waited_for(hasty: Running) -> None:
    """Half a head is told so; a connection that says nothing is closed."""
    assert b" 408 " in hasty.raw(b"GET / HTTP/1.1\r\nHo", seconds=5)[:20]
    assert hasty.raw(b"", seconds=5) == b""


def test_a_connection_is_kept_for_a_while(hasty: Running) -> None:
    """And then closed, without a word."""
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=10) as wire:
        for _ in range(3):
            wire.sendall(get("/health"))
            assert b" 200 OK" in wire.recv(4000)
            time.sleep(0.3)
        began = time.monotonic()
        assert wire.recv(4000) == b""
        assert 0.3 < time.monotonic() - began < 5


def test_idle_connections_make_room_and_busy_ones_do_not(hasty: Running) -> None:
    """The oldest that says nothing goes for a new one; when all are busy, that is told."""
    idle = [socket.create_connection(("127.0.0.1", hasty.port), timeout=5) for _ in range(20)]
    try:
        assert hasty.get("/health").status == 200
        assert idle[0].recv(10) == b""
    finally:
        for wire in idle:
            wire.close()
    busy = [socket.create_connection(("127.0.0.1", hasty.port), timeout=5) for _ in range(20)]
    try:
        for wire in busy:
            wire.sendall(b"GET / HTTP/1.1\r\nHo")
        time.sleep(0.1)
        refused = hasty.request("GET", "/health")
        assert (refused.status, refused.headers["retry-after"]) == (503, "2")
    finally:
        for wire in busy:
            wire.close()


def _read_on(wire: socket.socket) -> None:
    while wire.recv(65536):
        pass
    raise ConnectionResetError("ended")


def test_who_takes_nothing_is_let_go(hasty: Running) -> None:
    """Many small replies, none of them read: neither memory nor a place is held for ever."""
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=20) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        wire.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 20_000_000:
                sent += wire.send(get("/NMOD_0000001.ttl") * 100)
        assert sent < 20_000_000, "the server reads on though nothing is taken"
        time.sleep(3)
        wire.settimeout(5)
        with pytest.raises(ConnectionError):
            _read_on(wire)


def test_a_client_that_has_sent_all_it_has_is_answered(server: Running) -> None:
    """It may close its side of the connection with the request (RFC 9112, section 9.6)."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        wire.sendall(get(path_of("SELECT (1 AS ?x) {}"), b"Accept: text/csv"))
        wire.shutdown(socket.SHUT_WR)
        found = b""
        while piece := wire.recv(65536):
            found += piece
    assert replies(found)[0][2] == b"x\r\n1\r\n"


def test_hanging_up_ends_what_was_asked(starter: Starter) -> None:
    """The query's process is free at once, not at the deadline."""
    server = starter(processes=1, workers=1, slow_workers=0, queue_seconds=20, query_seconds=20)
    wire = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    wire.sendall(get(path_of(LONG)))
    time.sleep(0.5)
    wire.close()
    began = time.monotonic()
    assert server.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").status == 200
    assert time.monotonic() - began < 5


def test_every_reply_is_dated_and_framed(server: Running) -> None:
    """RFC 9110, sections 6.6.1 and 8.6."""
    for path in ("/health", "/NMOD_0000001", "/nothing", path_of("ASK {}"), "/downloads/all.nt"):
        found = server.get(path)
        assert found.headers["date"].endswith(" GMT")
        framed = {"content-length", "transfer-encoding"} & set(found.headers)
        assert len(framed) == 1
