"""Odd, large, slow and broken requests, byte by byte."""

import contextlib
import http.client
import random
import socket
import time

import pytest

from tests.conftest import Running, Starter, path_of

HOST = b"Host: a\r\n"
CLOSE = b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"GET /\x00 HTTP/1.1\r\n" + HOST + CLOSE,
        b"GET /sparql?query=\xff\xfe HTTP/1.1\r\n" + HOST + CLOSE,
        b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 300_000 + b"\r\n" + CLOSE,
        b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 3000 + CLOSE,
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + HOST + CLOSE,
        b"GET / HTTP/9.9\r\n" + HOST + CLOSE,
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n" + CLOSE,
        b"POST /sparql HTTP/1.1\r\n"
        + HOST
        + b"Content-Length: 1\r\nContent-Length: 2\r\n"
        + CLOSE
        + b"aa",
        b"POST /sparql HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n" + CLOSE + b"ZZ\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Accept: caf\xe9\r\n" + CLOSE,
        b"GET / HTTP/1.1\r\nHost: a b<script>\r\n" + CLOSE,
        b"OPTIONS * HTTP/1.1\r\n" + HOST + CLOSE,
        b"CONNECT evil:1 HTTP/1.1\r\n" + HOST + CLOSE,
        b"TRACE / HTTP/1.1\r\n" + HOST + CLOSE,
        b"FOO / HTTP/1.1\r\n" + HOST + CLOSE,
        b"GET http://evil.example/sparql HTTP/1.1\r\n" + HOST + CLOSE,
        b"GET //evil.example/%2e%2e HTTP/1.1\r\n" + HOST + CLOSE,
        b"HEAD /nothing HTTP/1.1\r\n" + HOST + CLOSE,
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n" + CLOSE + b"abc",
    ],
)
def test_an_odd_request_gets_a_refusal_and_hurts_nobody(server: Running, data: bytes) -> None:
    """A status below 500, or a closed connection."""
    found = server.raw(data, seconds=5)
    if found:
        assert found.startswith(b"HTTP/1.")
        assert found.split(b" ")[1] < b"500"
    assert server.get("/health").status == 200


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("", 400),
        ("Host: a\r\nHost: b\r\n", 400),
        ("Host: a\r\nHost: a\r\n", 400),
        ("Host: a/b\r\n", 400),
        ("Host: a b\r\n", 400),
        ("Host: evil@example.org\r\n", 400),
        ("Host: a:b\r\n", 400),
        ("Host: \r\n", 200),
        ("Host: a.example:8000\r\n", 200),
        ("Host: [::1]:8000\r\n", 200),
    ],
)
def test_a_request_names_its_host_once(server: Running, lines: str, status: int) -> None:
    """RFC 9112, section 3.2; a cache must not help out, so each is asked more than once."""
    for target in ("/health", "/NMOD_0000001.nt", "http://a.example/NMOD_0000001.nt"):
        for _ in range(3):
            sent = f"GET {target} HTTP/1.1\r\n{lines}Accept: */*\r\nConnection: close\r\n\r\n"
            found = server.raw(sent.encode())
            assert found.split(b" ")[1] == str(status).encode()
    if not lines:  # before 1.1 there was no such header
        assert b" 200 " in server.raw(b"GET /NMOD_0000001.nt HTTP/1.0\r\n\r\n")[:20]
        assert b" 400 " in server.raw(b"GET /NMOD_0000001.nt HTTP/1.1\r\n" + CLOSE)[:20]


def test_a_header_in_several_lines_is_one_list(server: Running) -> None:
    """RFC 9110, section 5.3: no line is passed over."""
    lines = b"Accept: text/csv;q=0.9\r\nAccept: text/tab-separated-values;q=0.2\r\n"
    for _ in range(3):
        found = server.raw(
            b"GET " + path_of("ASK {}").encode() + b" HTTP/1.1\r\n" + HOST + lines + CLOSE
        )
        assert b"content-type: text/csv" in found


def test_a_body_over_its_limit_is_refused(server: Running) -> None:
    """413, whether its length was stated or not."""
    big = b"query=" + b"a" * (3 << 20)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    # the server may close before all was sent, which is its right
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        assert server.request("POST", "/sparql", big, kind).status == 413
    chunked = b"POST /sparql HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n" + CLOSE
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        found = server.raw(chunked + b"300000\r\n" + b"a" * 0x300000 + b"\r\n0\r\n\r\n")
        assert b" 413 " in found[:40]
    assert server.get("/health").status == 200


def test_a_body_that_ends_early_is_not_a_query(server: Running) -> None:
    """The connection closes in the middle: nothing is run, nobody waits."""
    head = b"POST /sparql HTTP/1.1\r\n" + HOST + b"Content-Type: application/sparql-query\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head + b"Content-Length: 100\r\n\r\nASK {}")
    assert server.get("/health").status == 200


def test_random_bytes_on_the_wire(server: Running) -> None:
    """Neither a failure of ours nor a hang."""
    rng = random.Random(11)
    for _ in range(100):
        data = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 400))) + b"\r\n\r\n"
        found = server.raw(data, seconds=2)
        assert not found or found.split(b" ")[1] < b"500"
    assert server.get("/health").status == 200


def test_three_hundred_slow_clients_starve_nobody(starter: Starter) -> None:
    """Headers, bodies and reading that take for ever: others are answered at once."""
    server = starter(processes=1, header_seconds=3, body_seconds=3)
    slow: list[socket.socket] = []
    starts = (
        b"GET / HTTP/1.1\r\nHost: a\r\nX-",
        b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\n"
        b"Content-Length: 99\r\n\r\nASK",
        b"GET " + path_of("SELECT * { ?s ?p ?o }").encode() + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    try:
        for number in range(300):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.sendall(starts[number % 3])
            slow.append(connection)
        for path in ("/health", "/NMOD_0000001.ttl", path_of("ASK {}"), "/NMOD_0000001"):
            began = time.monotonic()
            assert server.get(path).status == 200
            assert time.monotonic() - began < 3
        time.sleep(3.5)
        ended = 0
        for connection in slow[:30:3] + slow[1:30:3]:
            connection.settimeout(3)
            found = connection.recv(1000)
            ended += not found or b" 400 " in found or b" 408 " in found
        assert ended == 20
    finally:
        for connection in slow:
            connection.close()


def test_many_requests_on_one_connection(server: Running) -> None:
    """Keep-alive and pipelining keep answers in their order."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for number in range(50):
        connection.request(
            "GET", path_of(f"SELECT ({number} AS ?x) {{}}"), headers={"Accept": "text/csv"}
        )
        assert connection.getresponse().read() == f"x\r\n{number}\r\n".encode()
    connection.close()
    paths = [path_of(f"SELECT ({number} AS ?x) {{}}") for number in range(6)]
    head = "GET {} HTTP/1.1\r\nHost: a\r\nAccept: text/csv\r\n"
    sent = "\r\n".join(head.format(path) for path in paths).encode() + CLOSE
    found = server.raw(sent)
    places = [found.index(b"x\r\n%d\r\n" % n) for n in range(6)]
    assert places == sorted(places)


def test_an_absolute_request_target_poisons_no_cache(server: Running) -> None:
    """Links follow the authority that was asked, for the one who asked it only."""
    head = "Accept: text/turtle\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    asked = f"GET http://evil.example/sparql HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{head}"
    for _ in range(8):  # whichever serving process takes it
        assert b"evil.example" in server.raw(asked.encode())
        assert b"evil.example" not in server.get("/sparql", "text/turtle").body
