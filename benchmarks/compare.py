"""Ours, Oxigraph's server, Fuseki, rdflib-endpoint and nginx side by side, as ratios of one run.

    python benchmarks/compare.py --triples 100000 --peers /path/to/venv > benchmarks/RESULTS.md

Needs `wrk` and `nginx` on the path, and a virtual environment with `oxigraph`, `rdflib-endpoint`
and `uvicorn` (peers are not dependencies of ours); for Fuseki, Java, and
`jena-fuseki-server-*.jar` from Maven Central in the same folder. What is missing is reported as not
measured. All load goes to loopback. Ratios are what counts: absolute numbers depend on the machine
and on what else it does.
"""

import argparse
import http.client
import json
import os
import platform
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import pyoxigraph as ox

from publisher.engine.held import load_store

ROOT = Path(__file__).resolve().parent.parent
BASE = "https://w3id.org/neuromod/"
PREFIXES = {
    "nmo": BASE + "ontology#",
    "NMOD": BASE + "NMOD_",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dct": "http://purl.org/dc/terms/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
JOIN = (
    "SELECT ?c ?n ?l {{ ?c nmo:therapy NMOD:{n:07d} ; nmo:condition ?d ; nmo:restsOn ?r ."
    " ?r nmo:analysed ?n . ?d skos:prefLabel ?l FILTER(?n > 100) }} ORDER BY DESC(?n) LIMIT 20"
)
HEAVY = (
    "SELECT ?c ?n ?l {{ ?c nmo:stance nmo:disputes ; nmo:condition ?d ; nmo:restsOn ?r ."
    " ?r nmo:analysed ?n . ?d skos:prefLabel ?l FILTER(?n > {n}) }} ORDER BY DESC(?n) LIMIT 20"
)
MILLION = "SELECT ?s ?p ?o ?t { VALUES ?t { 1 2 3 4 5 6 7 8 9 10 } ?s ?p ?o } LIMIT 1000000"
PROCESSES, CONNECTIONS, DISTINCT = 4, 32, 4000
SERVE = """
import os, sys
from pathlib import Path
from publisher import settings
from publisher.server.run import serve
serve(Path(sys.argv[1]), settings.load(environ=os.environ))
"""
LUA = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
math.randomseed(os.time())
local place = math.random(#paths)
request = function()
  place = place %% #paths + 1
  return wrk.format("GET", paths[place], {%s})
end
done = function(summary, latency)
  io.write(string.format("RESULT %%f %%f %%d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(99) / 1000, summary.errors.status + summary.errors.timeout))
end
"""

READING = """\
The rows of the engine alone have no server, HTTP or isolation: four processes of it, as Oxigraph's
server has it. A single pattern is read straight from its index, and a join whose matches can be
counted before they are made (at most 10,000 at each step) is answered from columns, both in the
process that received it. Anything else is asked in a process that can be ended, so that its text
and its answer go from one process to another; that costs more than a light query does: see the row
with a filter. "Remembered" is how anybody's server answers what was asked before in this release;
"uncached" remembers nothing."""


@dataclass(frozen=True)
class Load:
    """One measured load: requests a second, p99 in ms, requests that failed."""

    rate: float
    slowest: float
    failed: int


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_release(quads: Path, folder: Path) -> Path:
    """The least that the server needs: the store with its union, and the small files."""
    folder.mkdir()
    store = ox.Store(folder / "store")
    store.bulk_load(path=quads, format=ox.RdfFormat.N_QUADS)
    union = (ox.Quad(*quad.triple) for quad in ox.parse(path=quads, format=ox.RdfFormat.N_QUADS))
    store.bulk_extend(union)
    store.optimize()
    store.flush()
    del store
    context = {k: {"@id": v, "@prefix": True} for k, v in PREFIXES.items()}
    (folder / "prefixes.json").write_text(json.dumps(PREFIXES))
    (folder / "context.jsonld").write_text(json.dumps({"@context": context}))
    (folder / "graph.toml").write_text(f'name = "benchmark"\nbase = "{BASE}"\n')
    manifest = {"release": "benchmark", "triples": 0, "graphs": {}, "files": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def answers(port: int, path: str) -> bool:
    """Whether somebody answers there."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False


@contextmanager
def process(command: list[str], port: int, path: str, **more: str) -> Iterator[int]:
    """A server while it is needed; yields its process id once it answers."""
    environment = dict(os.environ) | more
    running = subprocess.Popen(  # noqa: S603
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    try:
        end = time.monotonic() + 120
        while not answers(port, path):
            if running.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[0]} did not start")
            time.sleep(0.1)
        yield running.pid
    finally:
        running.terminate()
        running.wait(20)


def ours(stack: ExitStack, release: Path, cache: int) -> tuple[int, int]:
    """Our server; its port and process id."""
    port = free_port()
    settings = {
        "PORT": port,
        "PROCESSES": PROCESSES,
        "CACHE_BYTES": cache,
        "LOG_LEVEL": "error",
        "WORKERS": 2,
    }
    named = {f"NEUROMODKG_{name}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-c", SERVE, str(release)]
    pid = stack.enter_context(process(command, port, "/health", PYTHONPATH=str(ROOT), **named))
    return port, pid


def oxigraph(stack: ExitStack, peers: Path, triples: Path) -> tuple[int, int]:
    """Oxigraph's own server, in memory, with the triples in its default graph."""
    port = free_port()
    command = [str(peers / "bin" / "oxigraph"), "serve", "--bind", f"127.0.0.1:{port}"]
    pid = stack.enter_context(process(command, port, "/query?query=ASK%7B%7D"))
    fill(port, "/store?default", triples)
    return port, pid


def fuseki(stack: ExitStack, jar: Path, triples: Path) -> int:
    """Jena's server, in memory, with the triples in its default graph."""
    port = free_port()
    command = ["java", "-Xmx4g", "-jar", str(jar), "--localhost", f"--port={port}"]
    command += ["--update", "--mem", "/graph"]
    stack.enter_context(process(command, port, "/graph/query?query=ASK%7B%7D"))
    fill(port, "/graph/data?default", triples)
    return port


def fill(port: int, path: str, triples: Path) -> None:
    """Put the triples into a graph store (SPARQL 1.1 Graph Store Protocol)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    headers = {"Content-Type": "application/n-triples"}
    connection.request("POST", path, triples.read_bytes(), headers)
    status = connection.getresponse().status
    if status not in (200, 201, 204):
        raise RuntimeError(f"the graph was not loaded: {status}")


def rdflib_endpoint(stack: ExitStack, peers: Path, triples: Path, folder: Path) -> int:
    """rdflib-endpoint with as many processes as ours."""
    port = free_port()
    (folder / "peer.py").write_text(
        "import os, rdflib\nfrom rdflib_endpoint import SparqlEndpoint\n"
        f"g = rdflib.Dataset(default_union=True)\ng.parse({str(triples)!r}, format='nt')\n"
        "app = SparqlEndpoint(graph=g)\n"
    )
    command = [str(peers / "bin" / "uvicorn"), "peer:app", "--port", str(port), "--workers"]
    command += [str(PROCESSES), "--app-dir", str(folder), "--log-level", "critical"]
    stack.enter_context(process(command, port, "/?query=ASK%7B%7D"))
    return port


def nginx(stack: ExitStack, folder: Path, body: bytes) -> int:
    """nginx with one static file."""
    port = free_port()
    (folder / "www").mkdir()
    (folder / "www" / "file.ttl").write_bytes(body)
    (folder / "nginx.conf").write_text(
        f"{'user root; ' if os.geteuid() == 0 else ''}daemon off; worker_processes {PROCESSES};"
        f" pid {folder}/nginx.pid; error_log /dev/null;"
        f" events {{}} http {{ access_log off; types {{ text/turtle ttl; }} server {{ listen"
        f" 127.0.0.1:{port}; root {folder}/www; }} }}"
    )
    program = shutil.which("nginx") or "nginx"
    command = [program, "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    stack.enter_context(process(command, port, "/file.ttl"))
    return port


def press(port: int, paths: list[str], headers: dict[str, str], seconds: int, folder: Path) -> Load:
    """One run of wrk."""
    (folder / "paths").write_text("\n".join(paths) + "\n")
    pairs = ", ".join(f"[{json.dumps(k)}]={json.dumps(v)}" for k, v in headers.items())
    (folder / "load.lua").write_text(LUA % (folder / "paths", pairs))
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    command += ["-s", str(folder / "load.lua"), f"http://127.0.0.1:{port}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = re.search(r"RESULT ([\d.]+) ([\d.]+) (\d+)", text)
    if found is None:
        raise RuntimeError(text)
    return Load(float(found[1]), float(found[2]), int(found[3]))


def fetch(port: int, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """One reply."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=headers)
    reply = connection.getresponse()
    return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()


def stream(port: int, path: str, pids: list[int]) -> tuple[float, float, int, float]:
    """Seconds to the first byte and to the last, bytes, and growth in MB of these processes."""
    before, worst, size = memory(pids), 0, 0
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path, headers={"Accept": "application/sparql-results+json"})
    reply = connection.getresponse()
    reply.read(1)
    first = time.perf_counter() - began
    looked = began
    while piece := reply.read1(1 << 18):
        size += len(piece)
        if time.perf_counter() - looked > 0.1:
            looked = time.perf_counter()
            worst = max(worst, memory(pids))
    return first, time.perf_counter() - began, size, max(0, worst - before) / 2**20


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def memory(pids: list[int]) -> int:
    """Private bytes that these processes hold."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        total += 1024 * sum(int(x.split()[1]) for x in text.splitlines() if "RssAnon" in x)
    return total


class Comparison:
    """The servers of one run, and the rows that come of it."""

    def __init__(self, seconds: int, rounds: int, folder: Path) -> None:
        self.seconds, self.rounds, self.folder = seconds, rounds, folder
        self.rows: list[str] = []

    def race(
        self,
        title: str,
        runners: dict[str, tuple[int, list[str], dict[str, str]]],
        goals: dict[str, float],
    ) -> None:
        """All runners in turns, so that other work on the machine hits them alike."""
        found: dict[str, list[Load]] = {name: [] for name in runners}
        for port, paths, headers in runners.values():  # compilers and caches get warm
            press(port, paths, headers, self.seconds, self.folder)
        for _ in range(self.rounds):
            for name, (port, paths, headers) in runners.items():
                found[name].append(press(port, paths, headers, self.seconds, self.folder))
        rates = {name: statistics.median(x.rate for x in loads) for name, loads in found.items()}
        failed = {name: sum(load.failed for load in loads) for name, loads in found.items()}
        shown = ", ".join(
            f"{name} {rates[name]:,.0f}/s (p99 {min(x.slowest for x in loads):.1f} ms)"
            for name, loads in found.items()
        )
        mine = rates["ours"]
        ratios = "; ".join(
            f"**{mine / rates[peer]:.2f}** × {peer}" + (f" (goal {goal:g})" if goal else "")
            for peer, goal in goals.items()
            if peer in rates
        )
        missing = [peer for peer in goals if peer not in rates]
        note = f"; not measured: {', '.join(missing)}" if missing else ""
        note += "".join(f"; {n} requests to {name} failed" for name, n in failed.items() if n)
        self.rows.append(f"| {title} | {shown} | {ratios}{note} |")
        print(self.rows[-1], file=sys.stderr, flush=True)


def query_path(endpoint: str, query: str) -> str:
    """The path of a GET query; it declares the prefixes that it uses, for peers know none."""
    used = {name: iri for name, iri in PREFIXES.items() if f"{name}:" in query}
    declared = "".join(f"PREFIX {name}: <{iri}> " for name, iri in used.items())
    return endpoint + "?" + urlencode({"query": declared + query}, quote_via=quote)


def subjects(count: int, sources: int) -> list[str]:
    """Names of claims, in a fixed random order."""
    rng = random.Random(3)  # noqa: S311 - not a secret
    numbers = [(rng.randrange(1, sources), rng.randrange(1, 4)) for _ in range(count)]
    return [f"claim/doi-10.9999-b.{source}.{claim}" for source, claim in numbers]


def compare(wish: argparse.Namespace) -> list[str]:
    """Start everybody, measure, and return the lines of the report."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="compare-")))
        quads, triples = folder / "graph.nq", folder / "graph.nt"
        generator = [sys.executable, str(ROOT / "benchmarks" / "generate.py")]
        subprocess.run([*generator, str(wish.triples), str(quads)], check=True)  # noqa: S603
        distinct = {q.triple for q in ox.parse(path=quads, format=ox.RdfFormat.N_QUADS)}
        ox.serialize(distinct, triples, ox.RdfFormat.N_TRIPLES)
        del distinct
        release = make_release(quads, folder / "release")
        cold, cold_pid = ours(stack, release, 0)
        warm, _ = ours(stack, release, 64 * 2**20)
        peers = {}
        oxi_pid = 0
        if wish.peers and (wish.peers / "bin" / "oxigraph").exists():
            peers["oxigraph"], oxi_pid = oxigraph(stack, wish.peers, triples)
        if wish.peers and (wish.peers / "bin" / "uvicorn").exists() and wish.triples <= 200_000:
            peers["rdflib-endpoint"] = rdflib_endpoint(stack, wish.peers, triples, folder)
        jar = next(wish.peers.glob("jena-fuseki-server-*.jar"), None) if wish.peers else None
        if jar is not None and shutil.which("java"):
            peers["fuseki"] = fuseki(stack, jar, triples)
        names = subjects(DISTINCT, max(2, wish.triples // 60))
        run = Comparison(wish.seconds, wish.rounds, folder)
        queries(run, cold, warm, peers, names, wish.triples)
        bare(run, release, wish.triples)
        representations(run, stack, cold, warm, peers, names)
        million(run, cold, cold_pid, peers.get("oxigraph"), oxi_pid)
        return run.rows


def queries(
    run: Comparison, cold: int, warm: int, peers: dict[str, int], names: list[str], triples: int
) -> None:
    """Queries; `cold` remembers nothing, `warm` is as anybody starts it."""
    accept = {"Accept": "application/sparql-results+json"}
    endpoints = {"oxigraph": "/query", "rdflib-endpoint": "/", "ours": "/sparql"}
    endpoints["fuseki"] = "/graph/query"
    ports = {"ours": cold, **peers}
    concepts = max(8, triples // 240)
    kinds = {
        "tiny SELECT (in the serving process), uncached": (
            [f"SELECT ?p ?o {{ <{BASE}{name}> ?p ?o }}" for name in names],
            {"oxigraph": 0.5, "rdflib-endpoint": 15},
        ),
        "the same, remembered": (
            [f"SELECT ?p ?o {{ <{BASE}{name}> ?p ?o }}" for name in names[:50]],
            {"oxigraph": 0.5, "rdflib-endpoint": 15},
        ),
        "tiny SELECT with a filter (in a query process), uncached": (
            [f'SELECT ?p ?o {{ <{BASE}{name}> ?p ?o FILTER(?o != "") }}' for name in names],
            {"oxigraph": 0, "rdflib-endpoint": 0},
        ),
        "join, filter, order: some 15 matches (in the serving process)": (
            [JOIN.format(n=n % concepts + 1) for n in range(1000)],
            {"oxigraph": 1.5, "rdflib-endpoint": 0},
        ),
        "join, filter, order: some 1,400 matches (in the serving process)": (
            [HEAVY.format(n=n) for n in range(100, 700)],
            {"oxigraph": 1.5, "rdflib-endpoint": 0},
        ),
    }
    for title, (texts, _) in list(kinds.items())[-2:]:
        known = f"{title.partition(' (')[0]}, remembered"
        kinds[known] = texts[:200], {"oxigraph": 0, "rdflib-endpoint": 0}
    for _, goals in kinds.values():
        goals["fuseki"] = 0
    for title, (texts, goals) in kinds.items():
        runners = {
            name: (port, [query_path(endpoints[name], text) for text in texts], accept)
            for name, port in ({**ports, "ours": warm} if "remembered" in title else ports).items()
        }
        run.race(title, runners, goals)


def bare(run: Comparison, release: Path, triples: int) -> None:
    """The engine without any server, in as many processes: what no server over it can exceed."""
    concepts = max(8, triples // 240)
    kinds = {
        "some 15 matches": [JOIN.format(n=n % concepts + 1) for n in range(1000)],
        "some 1,400 matches": [HEAVY.format(n=n) for n in range(100, 700)],
    }
    store = load_store(release).union  # as our server holds it
    for title, texts in kinds.items():
        rate = statistics.median(_alone(store, texts, run.seconds) for _ in range(run.rounds))
        run.rows.append(
            f"| the engine alone in {PROCESSES} processes, no server: join, filter, order, {title}"
            f" | {rate:,.0f}/s | |"
        )
        print(run.rows[-1], file=sys.stderr, flush=True)


def _alone(store: ox.Store, texts: list[str], seconds: float) -> float:
    """Answers a second of as many forked processes as a server of ours has."""
    lines = []
    for _ in range(PROCESSES):
        line, end = os.pipe()
        if os.fork() == 0:
            count, until = 0, time.monotonic() + seconds
            while time.monotonic() < until:
                found = store.query(texts[count % len(texts)], prefixes=PREFIXES)
                found.serialize(format=ox.QueryResultsFormat.JSON)
                count += 1
            os.write(end, str(count).encode())
            os._exit(0)
        os.close(end)
        lines.append(line)
    total = 0
    for line in lines:
        total += int(os.read(line, 100))
        os.close(line)
    return total / seconds


def representations(
    run: Comparison,
    stack: ExitStack,
    cold: int,
    warm: int,
    peers: dict[str, int],
    names: list[str],
) -> None:
    """Turtle of a resource: made anew, remembered, and not modified."""
    turtle = {"Accept": "text/turtle"}
    runners = {"ours": (cold, ["/" + name for name in names], turtle)}
    if "oxigraph" in peers:
        paths = [query_path("/query", f"DESCRIBE <{BASE}{name}>") for name in names]
        runners["oxigraph"] = (peers["oxigraph"], paths, turtle)
    if "fuseki" in peers:
        paths = [query_path("/graph/query", f"DESCRIBE <{BASE}{name}>") for name in names]
        runners["fuseki"] = (peers["fuseki"], paths, turtle)
    run.race("Turtle of a resource, uncached", runners, {"oxigraph": 0.6, "fuseki": 0})
    path = "/" + names[0]
    _, headers, body = fetch(warm, path, turtle)
    if shutil.which("nginx") is None:
        return
    port = nginx(stack, run.folder, body)
    static = (port, ["/file.ttl"], turtle)
    run.race(
        "the same, remembered", {"ours": (warm, [path], turtle), "nginx": static}, {"nginx": 0.5}
    )
    tag = fetch(port, "/file.ttl", {})[1]["etag"]
    run.race(
        "304",
        {
            "ours": (warm, [path], turtle | {"If-None-Match": headers["etag"]}),
            "nginx": (port, ["/file.ttl"], turtle | {"If-None-Match": tag}),
        },
        {"nginx": 0.4},
    )


def million(run: Comparison, port: int, pid: int, peer: int | None, peer_pid: int) -> None:
    """One million rows."""
    mine = [stream(port, query_path("/sparql", MILLION), family(pid)) for _ in range(3)]
    first, total = (statistics.median(x[n] for x in mine) for n in (0, 1))
    growth = max(x[3] for x in mine)
    shown = f"ours first byte {first * 1000:.0f} ms, total {total:.2f} s, growth {growth:.0f} MB"
    ratio = "goals: first byte 50 ms, growth 64 MB"
    if peer is not None:
        theirs = [stream(peer, query_path("/query", MILLION), [peer_pid]) for _ in range(3)]
        other = statistics.median(x[1] for x in theirs)
        shown += f"; oxigraph total {other:.2f} s, first byte {theirs[0][0] * 1000:.0f} ms"
        ratio += f"; total **{total / other:.2f}** × oxigraph's (goal at most 1.1)"
    run.rows.append(f"| one million rows, JSON, {mine[0][2] / 1e6:.0f} MB | {shown} | {ratio} |")


def main() -> int:
    """Write the report to standard output."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--triples", type=int, default=100_000)
    parser.add_argument("--peers", type=Path, help="a virtual environment with the peers")
    parser.add_argument("--seconds", type=int, default=4, help="of each run of wrk")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each server, in turns")
    wish = parser.parse_args()
    rows = compare(wish)
    print("# Side by side\n")
    print(
        f"{wish.triples:,} triples, {PROCESSES} server processes, {CONNECTIONS} connections, median"
        f" of {wish.rounds} runs of {wish.seconds} s in turns; {os.cpu_count()} cores shared with"
        f" wrk, Python {platform.python_version()}, pyoxigraph {ox.__version__}. Ratios count.\n"
    )
    print("| what | measured | ratio |\n|---|---|---|")
    print("\n".join(rows))
    print(f"\n{READING}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
