"""Processes die, clients leave, everybody comes at once: the site goes on."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Answered, Running, Starter, make_release, path_of
from tests.security.hostile import RUNAWAY

CROSS = RUNAWAY["three-way cross join"]
LONG = "SELECT ?a ?d { ?a nmo:next ?b . ?c nmo:next ?d } LIMIT 300000"
ENDLESS = "SELECT ?a ?d ?f { ?a nmo:next ?b . ?c nmo:next ?d . ?e nmo:next ?f }"
SMALL = "SELECT * { ?s ?p ?o FILTER(true) } LIMIT 1"


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def busy(server: Running) -> float:
    """Seconds of processor time that all query processes have used."""
    total = 0.0
    for pid in server.workers():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def is_calm(server: Running) -> bool:
    """Whether no query process works."""
    before = busy(server)
    time.sleep(0.3)
    return busy(server) - before < 0.1


def leave(server: Running, query: str, after: int) -> None:
    """Ask, read so many bytes, and hang up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(f"GET {path_of(query)} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        got = 0
        while got < after:
            got += len(connection.recv(65536))
        if not after:
            time.sleep(0.3)


@pytest.mark.parametrize(
    ("query", "after"), [(CROSS, 0), (LONG, 500_000), (ENDLESS, 500_000), (ENDLESS, 20_000_000)]
)
def test_a_client_that_leaves_ends_its_query(starter: Starter, query: str, after: int) -> None:
    """Before the first byte and in the middle of an answer, long before the deadline."""
    server = starter(processes=1, workers=1, slow_workers=1, query_seconds=60)
    leave(server, query, after)
    assert until(lambda: b'workers{state="running"} 0' in server.get("/metrics").body, 4)
    assert until(lambda: is_calm(server), 4)
    assert server.query(SMALL).status == 200


def test_many_that_leave_do_not_use_up_the_places(starter: Starter) -> None:
    """Each frees its place at once, also while it still waits for one."""
    server = starter(processes=1, workers=2, slow_workers=1, query_seconds=60)
    threads = [threading.Thread(target=leave, args=(server, CROSS, 0)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    began = time.monotonic()
    assert server.query(SMALL).status == 200
    assert time.monotonic() - began < 5
    assert until(lambda: is_calm(server))


def test_the_death_of_a_query_process_is_one_failed_query(starter: Starter) -> None:
    """Its client is told to try again; another process takes its place."""
    server = starter(processes=1, workers=2, query_seconds=20)
    answers: list[Answered] = []
    thread = threading.Thread(target=lambda: answers.append(server.query(CROSS)))
    thread.start()
    assert until(lambda: not is_calm(server), 5)
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    thread.join()
    assert answers[0].status == 503
    assert answers[0].headers["retry-after"]
    assert until(lambda: server.query(SMALL).status == 200)
    assert until(lambda: len(server.workers()) == 2)


def test_the_death_of_a_serving_process_is_survived_under_load(starter: Starter) -> None:
    """Again and again; its query processes end with it, the others answer meanwhile."""
    server = starter(processes=2, workers=1, query_seconds=20)
    stop = threading.Event()
    failures: list[int] = []
    successes: list[int] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                found = server.request("GET", path_of(SMALL), seconds=5)
                (successes if found.status == 200 else failures).append(found.status)
            except (OSError, http.client.HTTPException):
                failures.append(0)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    orphans: list[int] = []
    killed: list[int] = []
    for _ in range(3):
        victim = server.serving()[0]
        killed.append(victim)
        orphans += server.children(victim)
        os.kill(victim, signal.SIGKILL)
        assert until(lambda: len(set(server.serving()) - set(killed)) == 2, 15)
    for victim in server.serving():  # all at once
        os.kill(victim, signal.SIGKILL)
    assert until(lambda: len(server.serving()) == 2, 15)
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert server.process.poll() is None
    # a request to a process that dies waits for the one that takes its place: few are answered
    assert len(successes) > 5
    assert len(failures) < 40
    assert all(server.request("GET", path_of(SMALL)).status == 200 for _ in range(10))
    assert until(lambda: not [pid for pid in orphans if alive(pid)], 5)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_nothing_is_left_when_the_supervisor_is_killed(starter: Starter) -> None:
    """Serving and query processes end by themselves."""
    server = starter(processes=2, workers=1)
    left = [*server.children(), *server.workers()]
    server.process.kill()
    server.process.wait()
    assert until(lambda: not any(map(alive, left)), 10)


def test_a_busy_query_process_ends_with_its_serving_process(starter: Starter) -> None:
    """Even in the middle of a query that never looks up."""
    server = starter(processes=1, workers=1, query_seconds=60)

    def ask() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            server.query(CROSS)

    threading.Thread(target=ask, daemon=True).start()
    assert until(lambda: not is_calm(server), 5)
    workers = server.workers()
    os.kill(server.serving()[0], signal.SIGKILL)
    assert until(lambda: not any(map(alive, workers)), 5)
    assert until(lambda: len(server.serving()) == 1, 10)
    assert server.query(SMALL).status == 200


def test_eight_runaways_leave_small_queries_answered(starter: Starter) -> None:
    """They end in time with a right status, the fast lane moves on, then all is calm."""
    server = starter(processes=2, workers=2, slow_workers=1, query_seconds=4, slow_after=0.5)
    names = [*RUNAWAY.values(), CROSS, CROSS]
    statuses: list[int] = []
    taken: list[float] = []

    def ask(query: str) -> None:
        began = time.monotonic()
        statuses.append(server.query(query).status)
        taken.append(time.monotonic() - began)

    threads = [threading.Thread(target=ask, args=(query,)) for query in names]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    times: list[float] = []
    for number in range(100):
        began = time.monotonic()
        assert server.query(f"SELECT ({number} AS ?n) {{ ?s ?p ?o }} LIMIT 1").status == 200
        times.append(time.monotonic() - began)
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 413, 503, 504}
    assert max(taken) < 4 + 2
    assert statistics.median(times) < 0.5
    assert until(lambda: is_calm(server))


def test_a_full_queue_says_when_to_come_back(starter: Starter) -> None:
    """503 with Retry-After, at once; those who wait are answered in their order."""
    server = starter(
        processes=1,
        workers=1,
        slow_workers=1,
        parked_queries=0,
        queue=3,
        query_seconds=1.5,
        slow_after=1.5,
    )
    found: list[Answered] = []
    threads = [threading.Thread(target=lambda: found.append(server.query(CROSS))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    full = [reply for reply in found if reply.status == 503]
    assert len(full) >= 4
    assert all(int(reply.headers["retry-after"]) > 0 for reply in full)


def test_waiting_for_a_place_ends_with_the_deadline(starter: Starter) -> None:
    """Where no process comes free, 503 comes when the answer was due, not later."""
    server = starter(processes=1, workers=1, query_seconds=1, queue_seconds=60)
    (nursery,) = server.children(server.serving()[0])
    os.kill(nursery, signal.SIGSTOP)  # nothing takes the place of the one that is killed
    try:
        server.query(CROSS)
        found = server.query(SMALL, seconds=20)
    finally:
        os.kill(nursery, signal.SIGCONT)
    assert found.status == 503
    assert int(found.headers["retry-after"]) > 0
    assert until(lambda: server.query(SMALL).status == 200)


def test_reading_counts_as_the_querys_time_unless_it_is_slow(starter: Starter) -> None:
    """An endless answer ends at its deadline also when the engine is faster than its reader."""
    server = starter(processes=1, workers=1, query_seconds=1)
    size = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(f"GET {path_of(ENDLESS)} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        while piece := connection.recv(65536):
            size += len(piece)
            time.sleep(0.002)
    # a second of this reader's, and what the sockets held; a second of the engine's is far more
    assert 2_000_000 < size < 60_000_000


REFUSED = {
    "SELECT * { SERVICE <http://127.0.0.1:1/> {} }": 403,
    "INSERT DATA { <urn:a> <urn:b> <urn:c> }": 403,
    "SELECT * FROM <http://127.0.0.1:1/> { ?s ?p ?o }": 403,
    "SELECT ?g { GRAPH ?g { SELECT ?s { ?s ?p ?o } } }": 400,
    "ASK {} #" + "x" * 100_000: 413,
    "ASK {": 400,
}


@pytest.mark.parametrize(
    ("query", "status"),
    REFUSED.items(),
    ids=["service", "update", "graph", "lost", "long", "syntax"],
)
def test_a_refused_query_counts_as_a_failed_one(starter: Starter, query: str, status: int) -> None:
    """Reading it costs time, too; whoever sends many is asked to wait."""
    server = starter(processes=1, limit_loopback=True, client_errors=4, client_seconds=1000)
    found = [server.query(query).status for _ in range(6)]
    assert (found[:4], found[-1]) == ([status] * 4, 429)
    assert server.query(SMALL).status == 429


def test_a_client_that_uses_too_much_is_asked_to_wait(starter: Starter) -> None:
    """Query time and errors count; cheap data stays available."""
    server = starter(processes=2, limit_loopback=True, client_errors=5, client_seconds=1000)
    statuses = [server.query("SELECT ?x {}" + "}" * n).status for n in range(1, 12)]
    assert 429 in [server.query("SELECT * { ?s ?p }").status for _ in range(8)] or 429 in statuses
    found = server.query(SMALL)
    assert found.status == 429
    assert int(found.headers["retry-after"]) > 0
    assert server.get("/NMOD_0000001.ttl").status == 200
    slow = starter(
        processes=1, limit_loopback=True, client_errors=0, client_seconds=1, query_seconds=2
    )
    slow.query(CROSS)
    assert slow.query(SMALL + " #").status == 429


@pytest.mark.slow
def test_a_thousand_runaways_leave_nothing_behind(starter: Starter) -> None:
    """Of all kinds, four at a time: no memory, no process, no descriptor, no work."""
    server = starter(processes=1, workers=4, query_seconds=0.15, slow_after=0.15, client_errors=0)
    shapes = [f"{query} #" for query in RUNAWAY.values()]
    statuses: set[int] = set()

    def some(count: int) -> None:
        numbers = iter(range(count))
        lock = threading.Lock()

        def ask() -> None:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                found = server.query(f"{shapes[number % len(shapes)]} {number}", "text/csv")
                statuses.add(found.status if not found.cut else 0)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def held() -> dict[str, int]:
        """Kilobytes of the processes that last, and what they have."""
        (serving,) = server.serving()
        lasting = [server.process.pid, serving, *server.children(serving)]
        texts = [Path(f"/proc/{pid}/status").read_text().splitlines() for pid in lasting]
        sizes = [int(x.split()[1]) for text in texts for x in text if x.startswith("RssAnon")]
        opened = [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in lasting]
        return {"size": sum(sizes), "opened": sum(opened), "workers": len(server.workers())}

    some(60)
    assert until(lambda: is_calm(server))
    before = held()
    some(1000)
    assert until(lambda: is_calm(server))
    after = held()
    assert statuses <= {200, 413, 503, 504}
    assert 504 in statuses
    assert after["size"] - before["size"] < 12 * 1024
    assert after["opened"] - before["opened"] < 10
    assert after["workers"] == before["workers"]
    assert server.query(SMALL).status == 200


class Load:
    """Clients that ask without a pause: some on a new connection each time, some on one they keep.

    A client that keeps its connection opens another when it is told `connection: close`; any other
    end of a connection is a request lost.
    """

    def __init__(self, server: Running) -> None:
        self.server = server
        self.stop = threading.Event()
        self.lost: list[str] = []
        self.seen: list[str] = []
        self.threads = [threading.Thread(target=self.ask, args=(n % 2 == 0,)) for n in range(6)]

    def ask(self, keeps: bool) -> None:
        """Until told to stop."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        while not self.stop.is_set():
            try:
                connection.request("GET", "/health")
                reply = connection.getresponse()
                self.seen.append(json.loads(reply.read())["release"])
                if reply.status != 200:
                    self.lost.append(str(reply.status))
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
            if not keeps:
                connection.close()
        connection.close()

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()


def point(link: Path, at: Path) -> None:
    """Let a link point elsewhere, in one step."""
    fresh = link.with_name("fresh")
    fresh.symlink_to(at)
    fresh.rename(link)


def test_another_release_is_followed_without_losing_a_request(
    starter: Starter, release: Path, tmp_path: Path
) -> None:
    """When `current` points elsewhere, new processes answer from there; the old ones finish."""
    second = make_release(tmp_path / "second", size=10, name="2026-12-01")
    current = tmp_path / "current"
    current.symlink_to(release)
    server = starter(current, processes=2, query_seconds=6)
    first = server.serving()
    long: list[Answered] = []
    query = "SELECT (COUNT(*) AS ?n) { ?a nmo:next ?b . ?c nmo:next ?d . ?e nmo:next ?f }"
    slow = threading.Thread(target=lambda: long.append(server.query(query, seconds=60)))
    with Load(server) as load:
        slow.start()
        time.sleep(0.3)
        point(current, second)
        assert until(lambda: load.seen[-20:] == ["2026-12-01"] * 20, 30)
        assert until(lambda: len(server.serving()) <= 3, 30)  # but for the one that still works
    slow.join()
    assert load.lost == []
    assert (long[0].status, long[0].cut) in ((200, False), (504, False))
    assert until(lambda: not set(first) & set(server.children()), 10)
    assert len(server.serving()) == 2


def test_sighup_opens_the_release_anew_and_loses_no_request(starter: Starter) -> None:
    """New serving processes, again and again."""
    server = starter(processes=1)
    with Load(server) as load:
        for _ in range(2):
            before = server.serving()
            server.process.send_signal(signal.SIGHUP)
            gone = partial(lambda old: not set(old) & set(server.children()), before)
            assert until(gone, 30)
    assert load.lost == []
    assert server.query(SMALL).status == 200


def test_a_release_that_cannot_be_served_leaves_the_old_one_online(
    starter: Starter, release: Path, tmp_path: Path
) -> None:
    """Damage is found before anybody is told to leave; the next good release is followed."""
    broken, second = tmp_path / "broken", make_release(tmp_path / "second", size=10, name="later")
    shutil.copytree(release, broken)
    (broken / "context.jsonld").write_text("{")
    current = tmp_path / "current"
    current.symlink_to(release)
    server = starter(current, processes=1)
    with Load(server) as load:
        point(current, broken)
        assert until(lambda: "the old one stays" in server.log.read_text(), 20)
        time.sleep(2)
        assert load.seen[-1] == "2026-11-22"
        assert server.log.read_text().count("the old one stays") == 1
        point(current, second)
        assert until(lambda: load.seen[-20:] == ["later"] * 20, 30)
    assert load.lost == []


def test_stopping_lets_a_running_answer_finish(starter: Starter) -> None:
    """SIGTERM: what has begun is finished, then all processes end."""
    server = starter(processes=1, query_seconds=20)
    found: list[Answered] = []
    thread = threading.Thread(target=lambda: found.append(server.get(path_of(LONG), "text/csv")))
    thread.start()
    time.sleep(0.3)
    children = [*server.children(), *server.workers()]
    assert server.stop() == 0
    thread.join()
    assert found[0].status == 200
    assert found[0].cut or found[0].body.count(b"\n") == 300_001
    assert not any(map(alive, children))


def test_stopping_loses_no_request_over_connections_that_are_kept(starter: Starter) -> None:
    """SIGTERM under load: each request that was sent is answered, with `connection: close`."""
    server = starter(processes=2)
    lost: list[str] = []
    ended: list[str] = []

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.connect()
        try:
            while True:
                connection.request("GET", "/health")
                reply = connection.getresponse()
                reply.read()
                if reply.getheader("connection") == "close":
                    ended.append("told")
                    return
        except (OSError, http.client.HTTPException) as error:
            lost.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    server.process.terminate()
    for thread in threads:
        thread.join()
    assert (lost, len(ended)) == ([], 24)
    assert server.process.wait(10) == 0


def test_signals_that_come_in_crowds_do_not_stop_the_supervisor(starter: Starter) -> None:
    """A handler may be interrupted by the next signal, and by the same one again."""
    server = starter(processes=1)
    told = threading.Event()

    def tell() -> None:
        while not told.is_set():
            os.kill(server.process.pid, signal.SIGCHLD)

    crowd = [threading.Thread(target=tell) for _ in range(3)]
    for each in crowd:
        each.start()
    time.sleep(3)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    told.set()
    for each in crowd:
        each.join()
    assert server.process.wait(20) == 0


def test_a_release_that_cannot_be_opened_is_told(tmp_path: Path, release: Path) -> None:
    """Rather an error at the start than a site without data."""
    from publisher.engine.embedded import Embedded
    from publisher.errors import ReleaseDamaged
    from publisher.web import create_app

    broken = tmp_path / "broken"
    shutil.copytree(release, broken)
    shutil.rmtree(broken / "store")
    with pytest.raises(ReleaseDamaged):
        Embedded(broken)
    (broken / "manifest.json").unlink()
    with pytest.raises(ReleaseDamaged):
        create_app(broken)
    assert not (broken / "store").exists()
