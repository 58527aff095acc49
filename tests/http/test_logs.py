"""One line per request, by which a reply and the log find each other."""

import json
import re
import time
from typing import Any

from tests.conftest import Running, Starter, path_of


def lines(server: Running) -> list[dict[str, Any]]:
    """The log, line by line; all of it is JSON."""
    return [json.loads(line) for line in server.log.read_text().splitlines()]


def line_of(server: Running, name: str) -> dict[str, Any]:
    """The line of the request with this id; it is written when the reply has been sent."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        found = [line for line in lines(server) if line.get("request") == name]
        if found:
            assert len(found) == 1
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"no line for {name}")


def test_every_reply_is_found_in_the_log_by_its_id(starter: Starter) -> None:
    """Pages, data, queries, refusals, what came out of the cache and what was not understood."""
    server = starter(processes=1, log_format="json")
    seen: set[str] = set()
    for path, status in (
        ("/", 200),
        ("/NMOD_0000001.nt", 200),
        ("/NMOD_0000001.nt", 200),
        (path_of("SELECT * { ?s ?p ?o FILTER(true) }"), 200),
        (path_of("SELECT"), 400),
        ("/nothing", 404),
        ("/health", 200),
        ("/downloads/all.nt", 200),
    ):
        reply = server.get(path)
        name = reply.headers["x-request-id"]
        line = line_of(server, name)
        assert (reply.status, line["status"]) == (status, status)
        assert (line["method"], line["path"]) == ("GET", path.partition("?")[0])
        assert line["client"] == "127.0.0.1"
        assert line["milliseconds"] >= 0
        assert name not in seen
        seen.add(name)
        if reply.type == "application/problem+json":
            assert reply.json()["request"] == name
    again = server.raw(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n").decode()
    found = re.search(r"x-request-id: (\S+)", again)
    assert found
    assert line_of(server, found[1])["status"] == 400


def test_nothing_of_a_query_is_logged(starter: Starter) -> None:
    """What somebody asks is theirs; what they send cannot forge a line either."""
    server = starter(processes=1)
    server.get(path_of('SELECT ("nobodys-business" AS ?x) {}'))
    server.query("SELECT nobodys-business")
    name = server.get("/a%0A2026-01-01%20error%20forged").headers["x-request-id"]
    end = time.monotonic() + 5
    while name not in server.log.read_text() and time.monotonic() < end:
        time.sleep(0.05)
    text = server.log.read_text()
    assert name in text
    assert "nobodys" not in text
    assert not re.search(r"^2026-01-01", text, re.MULTILINE)


def test_the_id_of_a_trusted_proxy_is_kept(starter: Starter, server: Running) -> None:
    """Anybody else's is not: two requests could be taken for one."""
    given = {"X-Request-Id": "proxy-0123456789"}
    trusting = starter(processes=1, trusted_proxies="127.0.0.1", log_format="json")
    found = trusting.request("GET", "/health", headers=given)
    assert found.headers["x-request-id"] == given["X-Request-Id"]
    assert line_of(trusting, given["X-Request-Id"])["status"] == 200
    other = server.request("GET", "/health", headers=given).headers["x-request-id"]
    assert other != given["X-Request-Id"]
