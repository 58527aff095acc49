"""A small release made by hand, and real servers over it on loopback, for the serving tests."""

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import pyoxigraph as ox
import pytest

from publisher import names, search

ROOT = Path(__file__).resolve().parent.parent
BASE = "https://w3id.org/neuromod/"
NMO = BASE + "ontology#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
PREFIXES = dict(
    names.parse_prefixes((ROOT / "ontology" / "prefixes.tsv").read_text("utf-8"), file="-").pairs
)
CONTEXT = {
    "@context": {
        **{name: iri for name, iri in PREFIXES.items() if not iri.endswith("_")},
        "NMOD": {"@id": PREFIXES["NMOD"], "@prefix": True},
        "prefLabel": {"@id": "skos:prefLabel", "@container": "@language"},
        "therapy": {"@id": "nmo:therapy", "@type": "@id"},
    }
}
CONTENT = f"""
@prefix nmo: <{NMO}> . @prefix NMOD: <{BASE}NMOD_> . @prefix skos: <{SKOS}> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<{BASE}graph/concepts> {{
  NMOD:0000001 a nmo:Therapy ;
    skos:prefLabel "spinal cord stimulation"@en, "Rückenmarkstimulation"@de ;
    skos:altLabel "SCS"@en ; nmo:weight 4.5 ; nmo:count 7 ; nmo:flag true .
  NMOD:0000002 a nmo:Therapy ; skos:prefLabel "old therapy"@en ; owl:deprecated true .
  NMOD:0000003 a nmo:Condition ; skos:prefLabel "pain 100% \\"real\\" <b> & more"@en .
}}
<{BASE}graph/one> {{
  <{BASE}claim/one.1> a nmo:Claim ; nmo:therapy NMOD:0000001 ;
    skos:note "said\\u0001so", "line\\nbreak" .
  <{BASE}source/doi-10.1111-ner.12208> nmo:says <{BASE}claim/one.1> ; nmo:year "2014"^^xsd:gYear .
}}
<{BASE}graph/two> {{
  <{BASE}claim/one.1> a nmo:Claim .
  <http://example.org/odd> <http://example.org/9> "a property without a name" .
}}
<{BASE}graph/three> {{
  <{BASE}shape/Odd> nmo:either ( [ nmo:next [ nmo:count 1 ] ] nmo:Therapy ) ; nmo:weight 1 .
}}
"""


def w3c_graphs() -> str:
    """The three graphs of the W3C protocol cases (their content is one triple each)."""
    folder = "http://kasei.us/2009/09/sparql/data/"
    kind = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://xmlns.com/foaf/0.1/Document>"
    return "".join(f"<{folder}data{n}.rdf> {kind} <{folder}data{n}.rdf> .\n" for n in (1, 2, 3))


def many(size: int) -> Iterator[ox.Quad]:
    """Triples that say nothing, for joins that never end and answers that are long."""
    graph = ox.NamedNode(f"{BASE}graph/many")
    for number in range(size):
        yield ox.Quad(
            ox.NamedNode(f"{BASE}item/{number}"),
            ox.NamedNode(f"{NMO}next"),
            ox.NamedNode(f"{BASE}item/{(number * 7 + 1) % size}"),
            graph,
        )


def make_release(folder: Path, size: int = 1100, name: str = "2026-11-22") -> Path:
    """A release directory; its shape is the one that a build makes."""
    (folder / "downloads").mkdir(parents=True)
    quads = [
        *ox.parse(CONTENT.encode(), format=ox.RdfFormat.TRIG),
        *ox.parse(w3c_graphs().encode(), format=ox.RdfFormat.N_QUADS),
        *many(size),
    ]
    union = [ox.Quad(*q.triple) for q in quads]
    store = ox.Store(folder / "store")
    store.bulk_extend([*quads, *union])
    store.optimize()
    store.flush()
    del store
    text = ox.serialize([q.triple for q in quads], format=ox.RdfFormat.N_TRIPLES)
    (folder / "downloads" / "all.nt").write_bytes(text or b"")
    (folder / "downloads" / "ontology.ttl").write_text("# the vocabulary\n")
    (folder / "prefixes.json").write_text(json.dumps(PREFIXES))
    (folder / "context.jsonld").write_text(json.dumps(CONTEXT))
    shutil.copy(ROOT / "ontology" / "graph.toml", folder / "graph.toml")
    shutil.copytree(ROOT / "ontology" / "pages", folder / "pages")
    (folder / "description.ttl").write_text(
        f"<{BASE}dataset> a <http://www.w3.org/ns/dcat#Dataset> ."
    )
    graphs = {q.graph_name.value: 0 for q in quads}
    files = {
        f"downloads/{file.name}": {
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "bytes": file.stat().st_size,
            "media_type": kind,
        }
        for file, kind in (
            (folder / "downloads" / "all.nt", "application/n-triples"),
            (folder / "downloads" / "ontology.ttl", "text/turtle"),
        )
    }
    manifest = {"release": name, "triples": len(set(union)), "graphs": graphs, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    search.build(folder, ox.Store.read_only(str(folder / "store")))
    return folder


@dataclass
class Answered:
    """A reply as it came over the wire; `cut` when the connection ended before it did."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool = False

    def json(self) -> dict[str, object]:
        """The body as JSON."""
        found: dict[str, object] = json.loads(self.body)
        return found

    @property
    def type(self) -> str:
        """The media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0]


@dataclass
class Running:
    """A server process and ways to talk to it."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    release: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = 30,
    ) -> Answered:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request(method, path, body, headers or {})
            try:
                reply = connection.getresponse()
            except http.client.RemoteDisconnected:  # cut before the first byte came through
                return Answered(0, {}, b"", cut=True)
            found = {name.lower(): value for name, value in reply.getheaders()}
            try:
                return Answered(reply.status, found, reply.read())
            except (http.client.IncompleteRead, ConnectionResetError) as error:
                return Answered(reply.status, found, getattr(error, "partial", b""), cut=True)
        finally:
            connection.close()

    def get(self, path: str, accept: str | None = None, **headers: str) -> Answered:
        """GET, with an Accept header when given."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("GET", path, None, more | ({"Accept": accept} if accept else {}))

    def query(self, query: str, accept: str | None = None, seconds: float = 30) -> Answered:
        """A query by POST form, so that it may be long."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if accept:
            headers["Accept"] = accept
        return self.request("POST", "/sparql", urlencode({"query": query}), headers, seconds)

    def raw(self, data: bytes, seconds: float = 10) -> bytes:
        """What comes back for these bytes, until the server closes or says nothing more."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(data)
            found = b""
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while piece := connection.recv(65536):
                    found += piece
            return found

    def children(self, pid: int | None = None) -> list[int]:
        """The process ids right below a process (by default the server's own)."""
        found: list[int] = []
        for file in Path(f"/proc/{pid or self.process.pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                found += map(int, file.read_text().split())
        return found

    def serving(self) -> list[int]:
        """The process ids of the serving processes."""
        return [pid for pid in self.children() if self.children(pid)]

    def workers(self) -> list[int]:
        """The process ids of all query processes."""
        found = [child for pid in self.children() for child in self.children(pid)]
        own = [pid for pid in found if b"engine.worker" in command_of(pid)]
        return own + [child for pid in found for child in self.children(pid)]

    def wait(self, seconds: float = 30) -> None:
        """Until it answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.get("/health").status == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"the server does not answer:\n{self.log.read_text()}")

    def stop(self) -> int:
        """End it gracefully; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def command_of(pid: int) -> bytes:
    """The command line of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def path_of(query: str, **more: str) -> str:
    """The path of a GET query."""
    return "/sparql?" + urlencode({"query": query, **more}, quote_via=quote)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


START = """
import os, sys
from pathlib import Path
from publisher import settings
from publisher.server.run import serve
serve(Path(sys.argv[1]), settings.load(environ=os.environ))
"""


def start(release: Path, log: Path, **settings: object) -> Running:
    """A server over a release; returns when it answers."""
    port = free_port()
    values = {"port": port, "log_level": "info", **settings}
    own = {f"NEUROMODKG_{name.upper()}": str(value) for name, value in values.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEUROMODKG")}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(release)],
            env=kept | own | {"PYTHONPATH": str(ROOT)},
            stdout=sink,
            stderr=sink,
            cwd=ROOT,
        )
    running = Running(process, port, log, release, {k: str(v) for k, v in values.items()})
    try:
        running.wait()
    except AssertionError:
        process.kill()
        process.wait()
        raise
    return running


Starter = Callable[..., Running]


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small release."""
    return make_release(tmp_path_factory.mktemp("releases") / "small")


@pytest.fixture(scope="session")
def server(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with a deadline of two seconds, shared by all tests that leave it as it was."""
    log = tmp_path_factory.mktemp("server") / "log"
    running = start(release, log, query_seconds=2, slow_after=0.5, workers=2, worker_memory=2**29)
    yield running
    running.stop()


@pytest.fixture
def starter(release: Path, tmp_path: Path) -> Iterator[Starter]:
    """Starts servers with settings of a test's own, and stops them after it."""
    started: list[Running] = []

    def begin(at: Path | None = None, **settings: object) -> Running:
        running = start(at or release, tmp_path / f"log-{len(started)}", **settings)
        started.append(running)
        return running

    yield begin
    for running in started:
        running.stop()
