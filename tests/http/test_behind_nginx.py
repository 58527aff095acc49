"""The configuration that is delivered, run by a real nginx in front of a real server."""

import http.client
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Running, Starter, free_port, path_of

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx (apt-get install nginx-light)")

MAIN = """
daemon off; pid {folder}/pid; error_log {folder}/errors; worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    include {folder}/site.conf;
}}
"""


@pytest.fixture
def behind(starter: Starter, tmp_path: Path) -> Iterator[tuple[Running, Running]]:
    """nginx as delivered but for its ports and a second server for a path, and what is behind."""
    server = starter(trusted_proxies="127.0.0.1", query_seconds=2, slow_after=0.5)
    port, mounted = free_port(), free_port()
    text = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    assert "listen 80;" in text
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    block = text[text.index("server {\n") :]
    under = (
        block.replace(f":{port};", f":{mounted};")
        .replace("location / {", "location /kg/ {")
        .replace("proxy_pass http://neuromodkg;", "proxy_pass http://neuromodkg/;")
        .replace('X-Forwarded-Prefix "";', "X-Forwarded-Prefix /kg;")
    )
    (tmp_path / "site.conf").write_text(text + under)
    (tmp_path / "nginx.conf").write_text(MAIN.format(folder=tmp_path))
    assert NGINX is not None
    process = subprocess.Popen([NGINX, "-c", str(tmp_path / "nginx.conf")])
    site = Running(process, port, tmp_path / "errors", server.release)
    under_path = Running(process, mounted, tmp_path / "errors", server.release)
    try:
        site.wait()
        yield site, under_path
    finally:
        process.terminate()
        process.wait(10)


def test_addresses_are_those_that_the_client_asked(behind: tuple[Running, Running]) -> None:
    """Host and path of the proxy, not of the server; what clients say of it counts for nothing."""
    site, mounted = behind
    lies = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    found = site.request("GET", "/sparql", headers={"Accept": "text/turtle", **lies})
    assert f"http://127.0.0.1:{site.port}/sparql".encode() in found.body
    assert b"evil.example" not in found.body
    described = mounted.get("/kg/sparql", "text/turtle")
    assert f"http://127.0.0.1:{mounted.port}/kg/sparql".encode() in described.body
    page = mounted.get("/kg/", "text/html")
    assert page.status == 200
    assert b'href="/kg/' in page.body
    assert b'href="/static' not in page.body


def test_a_cut_answer_arrives_cut(behind: tuple[Running, Running]) -> None:
    """And one that is whole arrives whole."""
    site, _ = behind
    whole = site.query("SELECT * { ?s ?p ?o }", "text/csv")
    assert (whole.status, whole.cut) == (200, False)
    endless = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    assert site.query(endless, "text/csv").cut


def test_limits_and_refusals_are_the_servers(behind: tuple[Running, Running]) -> None:
    """A long query passes; what is too long is refused in words."""
    site, _ = behind
    assert site.get(path_of("ASK {} #" + "a" * 60_000)).status == 200
    found = site.request("POST", "/sparql", "a" * 3_000_000)
    assert found.status == 413
    assert found.type == "application/problem+json"


def test_clients_are_told_apart(behind: tuple[Running, Running]) -> None:
    """The log has the address that the proxy saw."""
    site, _ = behind
    wire = http.client.HTTPConnection(
        "127.0.0.1", site.port, timeout=10, source_address=("127.0.0.2", 0)
    )
    wire.request("GET", "/health", headers={"X-Forwarded-For": "192.0.2.1"})
    reply = wire.getresponse()
    name = reply.headers["x-request-id"]
    assert json.loads(reply.read())["status"] == "ok"
    wire.close()
    log = next(site.log.parent.glob("log-*"))
    end = time.monotonic() + 5
    while name not in log.read_text() and time.monotonic() < end:
        time.sleep(0.05)
    (line,) = [line for line in log.read_text().splitlines() if name in line]
    assert "127.0.0.2" in line
    assert "192.0.2.1" not in line
