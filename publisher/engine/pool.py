"""The worker processes of one web process: lanes, queue, deadlines, replacement.

A question waits in one FIFO queue for a place in the fast lane. One that runs long is demoted: it
gets the lowest priority and a place in the slow lane, or is stopped (SIGSTOP) until there is one,
so that the fast lane moves on (killing long queries early only made clients try again at once).
Everything ends at its deadline by SIGKILL, which is the only thing that ends a query in pyoxigraph.

Everything here runs on one event loop; nothing is locked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from publisher.engine import frames, rows
from publisher.engine.nursery import Nursery
from publisher.engine.question import AsyncAnswer, Budget, Question
from publisher.errors import (
    BadRequest,
    EngineError,
    EngineUnavailable,
    MalformedQuery,
    NotAcceptable,
    Overloaded,
    PublisherError,
    QueryTimeout,
    QueryTooCostly,
)

log = logging.getLogger("publisher.engine")

BUFFERED = 4 * frames.CHUNK
LOWEST_PRIORITY = 19
# a worker that kept more than this after a query is replaced
KEPT_MEMORY = 400 * 2**20
START_SECONDS = 30.0
# A reader that takes a piece of 64 kB in this time (13 MB/s) is not slow: its reading counts as the
# query's time, or an endless answer would outlive its deadline by what sending it takes. Sockets
# take pieces in bursts, so it is the mean of this many that decides.
QUICK = 0.005
BURST = 64


@dataclass(frozen=True)
class Lanes:
    """How many queries may run, run long, be parked and wait; seconds and bytes."""

    fast: int = 4
    slow: int = 2
    parked: int = 4
    queue: int = 64
    queue_seconds: float = 10.0
    slow_after: float = 1.0
    answer_seconds: float = 600.0
    memory: int = 1024 * 2**20
    network: bool = False


class Worker(asyncio.BufferedProtocol):
    """One process and the line to it."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.process: Spawned | Forked | None = None
        self.transport: asyncio.Transport | None = None
        self.thread = 0
        self.number = 0
        self.lost = False
        self.paused = False
        self.buffered = 0
        self.inbox: deque[tuple[int, bytes, bytes]] = deque()
        self.waiter: asyncio.Future[None] | None = None
        self.when_lost: Callable[[], None] | None = None
        self._partial = bytearray()
        self._room = bytearray(frames.CHUNK + frames.HEADER.size)

    async def start(self, release: Path, nursery: Nursery | None) -> None:
        """Start the process and wait until it has opened its store."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs:
            if nursery is not None:
                self.process = Forked(await nursery.start(theirs), nursery)
            else:
                command = _command(release, theirs.fileno(), self.lanes)
                work = loop.run_in_executor(None, _spawn, command, theirs.fileno())
                self.process = Spawned(await work)
        ours.setblocking(False)
        await loop.create_connection(lambda: self, sock=ours)
        number, kind, payload = await asyncio.wait_for(self.receive(), START_SECONDS)
        if (number, kind) != (0, frames.READY):
            raise EngineUnavailable("a query process did not start")
        self.thread = json.loads(payload)["thread"]

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.lost = True
        self._wake()
        if self.when_lost is not None:
            self.when_lost()

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        self._partial += memoryview(self._room)[:nbytes]
        size = frames.HEADER.size
        while len(self._partial) >= size:
            number, kind, length = frames.HEADER.unpack_from(self._partial)
            if len(self._partial) < size + length:
                break
            self.inbox.append((number, kind, bytes(self._partial[size : size + length])))
            self.buffered += length
            del self._partial[: size + length]
        if self.inbox:
            self._wake()
        if self.buffered > BUFFERED and not self.paused and self.transport is not None:
            self.paused = True
            self.transport.pause_reading()

    def _wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    # what a question calls

    def ask(self, question: Question) -> int:
        """Send a question; answers carry the number that is returned."""
        self.number += 1
        message = {
            "query": question.query,
            "format": question.format,
            "base": question.base,
            "default": question.dataset.default,
            "named": question.dataset.named,
        }
        assert self.transport is not None
        self.transport.write(frames.pack(self.number, frames.ASK, json.dumps(message).encode()))
        return self.number

    async def receive(self) -> tuple[int, bytes, bytes]:
        """The next frame; EOFError when the process is gone."""
        while not self.inbox:
            if self.lost:
                raise EOFError
            self.waiter = asyncio.get_running_loop().create_future()
            try:
                await self.waiter
            finally:
                self.waiter = None
        frame = self.inbox.popleft()
        self.buffered -= len(frame[2])
        if self.paused and self.buffered < BUFFERED // 2 and self.transport is not None:
            self.paused = False
            self.transport.resume_reading()
        return frame

    def signal(self, which: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        if self.process is not None and not self.lost:
            self.process.signal(which)

    def lower_priority(self) -> None:
        """Only the query's own thread counts: on Linux, priorities belong to threads."""
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, self.thread, LOWEST_PRIORITY)

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        self.signal(signal.SIGKILL)
        if self.transport is not None:
            self.transport.abort()

    async def exit_status(self) -> int | None:
        """How the process ended, once it has."""
        return None if self.process is None else await self.process.status()


class Spawned:
    """A process of its own making, with its own view of a store on disk."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def signal(self, which: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        if self.process.poll() is None:
            self.process.send_signal(which)

    async def status(self) -> int | None:
        """How the process ended, once it has."""
        wait = self.process.wait
        try:
            return await asyncio.get_running_loop().run_in_executor(None, lambda: wait(2))
        except subprocess.TimeoutExpired:
            return None


class Forked:
    """A process out of the nursery."""

    def __init__(self, pid: int, nursery: Nursery) -> None:
        self.pid = pid
        self.nursery = nursery

    def signal(self, which: signal.Signals) -> None:
        """Send a signal, unless the process has ended (its number may be somebody else's then)."""
        ended = self.nursery.ended.get(self.pid)
        if ended is not None and not ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, which)

    async def status(self) -> int | None:
        """How the process ended, once it has."""
        return await self.nursery.status(self.pid)


def _command(release: Path, descriptor: int, lanes: Lanes) -> list[str]:
    megabytes = lanes.memory // 2**20
    arguments = [str(descriptor), str(release.resolve()), str(megabytes), str(int(lanes.network))]
    return [sys.executable, "-m", "publisher.engine.worker", *arguments]


def _spawn(command: list[str], descriptor: int) -> subprocess.Popen[bytes]:
    """A new process with this descriptor, none of our environment, and its own directory."""
    package = str(Path(__file__).resolve().parents[2])
    environment = {"PYTHONPATH": package, "MALLOC_ARENA_MAX": "2", "LANG": "C.UTF-8"}
    return subprocess.Popen(  # noqa: S603 - the command is our own
        command, pass_fds=[descriptor], stdin=subprocess.DEVNULL, env=environment, cwd="/"
    )


class Run:
    """One question on its way: where it runs, how long it may, why it was ended."""

    def __init__(self, pool: Pool, worker: Worker, budget: Budget, waited: float) -> None:
        self.pool = pool
        self.worker = worker
        self.budget = budget
        self.lane = "fast"
        self.reason: PublisherError | None = None
        self.finished = False
        self.began = time.monotonic()
        self.remaining = max(0.0, budget.seconds - waited)
        self.paused = False
        self.stopped = self.resumed = self.began
        self.credit = 0.0
        self.running_out = self.remaining <= pool.lanes.slow_after
        # one timer for most queries: the others are set when the first one rings
        first = min(self.remaining, pool.lanes.slow_after)
        self.timer = asyncio.get_running_loop().call_later(first, self._ring)
        self.last_moment: asyncio.TimerHandle | None = None

    def _ring(self) -> None:
        """The query is long, or over its time."""
        if self.running_out:
            self.expire()
            return
        loop = asyncio.get_running_loop()
        self.running_out = True
        left = self.pool.lanes.answer_seconds - self.pool.lanes.slow_after
        self.last_moment = loop.call_later(max(0.0, left), self.expire)
        if not self.paused:
            self.remaining -= time.monotonic() - self.resumed
            self.resume_clock()
        self.pool.demote(self)

    def expire(self) -> None:
        """Out of time."""
        seconds = f"{self.budget.seconds:g} seconds"
        if self.lane == "parked":
            self.end(
                Overloaded(
                    f"the query needs long, and no place for long queries came free in {seconds}",
                    retry_after=30,
                    fix="try again later, or ask for less",
                )
            )
        else:
            self.end(
                QueryTimeout(
                    f"the query took longer than the {seconds} it is given",
                    fix="ask for less: a LIMIT, fewer unbound variables, or a download instead",
                )
            )

    def end(self, reason: PublisherError) -> None:
        """Kill the process for a reason that its reader will be told."""
        if not self.finished and self.reason is None:
            self.reason = reason
            self.worker.kill()

    def pause_clock(self) -> None:
        """The reader is busy: what a slow one takes is not the query's time."""
        if self.running_out:
            self.timer.cancel()
        self.paused = True
        self.stopped = time.monotonic()
        self.credit = min(self.credit + QUICK, BURST * QUICK)
        self.remaining -= self.stopped - self.resumed

    def resume_clock(self) -> None:
        """The reader wants more."""
        now = time.monotonic()
        reading = now - self.stopped if self.paused else 0.0
        self.remaining -= reading if reading <= self.credit else 0.0
        self.credit = max(0.0, self.credit - reading)
        self.paused = False
        self.resumed = now
        if self.running_out:
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(max(0.0, self.remaining), self._ring)

    def stop_clocks(self) -> None:
        """Nothing of this run will happen any more."""
        self.timer.cancel()
        if self.last_moment is not None:
            self.last_moment.cancel()


class Rest:
    """What comes after the head. Not a generator: closing one that never began does nothing."""

    def __init__(self, pool: Pool, run: Run, stream: AsyncIterator[bytes]) -> None:
        self.pool = pool
        self.run = run
        self.stream = stream

    def __aiter__(self) -> Rest:
        return self

    async def __anext__(self) -> bytes:
        if self.run.paused:
            self.run.resume_clock()
        try:
            piece = await anext(self.stream)
        except BaseException:  # the end, too: then the run is finished already
            self.pool.finish(self.run, reuse=False)
            raise
        self.run.pause_clock()
        return piece

    async def aclose(self) -> None:
        """The reader has left; that ends the query."""
        self.pool.finish(self.run, reuse=False)


class Pool:
    """The processes, the lanes and the queue."""

    def __init__(
        self,
        release: Path,
        lanes: Lanes,
        notice: Callable[[str], None] = lambda _: None,
        nursery: Nursery | None = None,
    ) -> None:
        self.nursery = nursery
        self.release = release
        self.lanes = lanes
        self.notice = notice
        self.idle: deque[Worker] = deque()
        self.hopeful: deque[asyncio.Future[Worker]] = deque()
        self.members: set[Worker] = set()
        self.running: set[Run] = set()
        self.parked: deque[Run] = deque()
        self.slow = 0
        self.failures = 0
        self.closed = False
        self.tasks: set[asyncio.Task[None]] = set()

    # processes

    async def start(self) -> None:
        """Start all processes; returns when the first is ready."""
        if self.nursery is not None:
            self.nursery.attach(asyncio.get_running_loop())
        self.fill()
        self.idle.append(await self._worker())

    def fill(self) -> None:
        """Start as many processes as are missing from the fast lane."""
        while not self.closed and len(self.members) < self.lanes.fast:
            worker = Worker(self.lanes)
            self.members.add(worker)
            self._later(self._bring_up(worker))

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _bring_up(self, worker: Worker) -> None:
        try:
            if self.failures:
                await asyncio.sleep(min(3.0, 0.2 * 2**self.failures))
            if self.closed:
                return
            await worker.start(self.release, self.nursery)
        except (EOFError, OSError, TimeoutError, EngineError) as error:
            self.failures += 1
            log.error("a query process did not start: %s", error)
            self._discard(worker)
            return
        self.failures = 0
        if self.closed:
            worker.kill()
        else:
            self._offer(worker)

    def _discard(self, worker: Worker) -> None:
        """Forget a process, and start another in its place."""
        worker.kill()
        self.members.discard(worker)
        self._later(_reap(worker))
        self.fill()

    def _offer(self, worker: Worker) -> None:
        """A free worker goes to whoever has waited longest, else to the idle ones."""
        worker.when_lost = lambda: self._lost_idle(worker)
        while self.hopeful:
            waiting = self.hopeful.popleft()
            if not waiting.done():
                waiting.set_result(worker)
                return
        self.idle.append(worker)

    def _lost_idle(self, worker: Worker) -> None:
        """A worker died while it had nothing to do."""
        if worker in self.idle and not self.closed:
            self.idle.remove(worker)
            self.notice("replaced")
            self._discard(worker)

    async def _worker(self, seconds: float = START_SECONDS) -> Worker:
        """A free worker; FIFO, with a bound on the length of the queue and on the waiting."""
        while self.idle and not self.hopeful:
            worker = self.idle.pop()
            if not worker.lost:
                return worker
            self._discard(worker)
        if len(self.hopeful) >= self.lanes.queue:
            raise self._full()
        waiting: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self.hopeful.append(waiting)
        try:
            return await asyncio.wait_for(waiting, min(seconds, self.lanes.queue_seconds))
        except TimeoutError:
            raise self._full() from None
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self._offer(waiting.result())
            raise
        finally:
            with contextlib.suppress(ValueError):
                self.hopeful.remove(waiting)

    def _full(self) -> Overloaded:
        self.notice("queue_full")
        return Overloaded(
            "every place for a query is taken", retry_after=5, fix="try again in a few seconds"
        )

    # lanes

    def demote(self, run: Run) -> None:
        """A long query leaves the fast lane: a place in the slow lane, or a rest."""
        if run.finished:
            return
        self.members.discard(run.worker)
        self.notice("demoted")
        if self.slow < self.lanes.slow:
            self._into_slow_lane(run)
        elif len(self.parked) < self.lanes.parked:
            run.lane = "parked"
            run.worker.signal(signal.SIGSTOP)
            self.parked.append(run)
        else:
            run.end(
                Overloaded(
                    "the query needs long, and too many long queries are waiting already",
                    retry_after=30,
                    fix="try again later, or ask for less",
                )
            )
        self.fill()

    def _into_slow_lane(self, run: Run) -> None:
        run.lane = "slow"
        self.slow += 1
        run.worker.lower_priority()

    def _leave(self, run: Run) -> None:
        if run.lane == "slow":
            self.slow -= 1
        elif run.lane == "parked":
            with contextlib.suppress(ValueError):
                self.parked.remove(run)
        while self.parked and self.slow < self.lanes.slow:
            next_run = self.parked.popleft()
            self._into_slow_lane(next_run)
            next_run.worker.signal(signal.SIGCONT)

    # questions

    async def answer(self, question: Question, budget: Budget) -> AsyncAnswer:
        """The answer from its first 64 kB on; errors up to there are raised, not sent."""
        if self.closed:
            raise EngineUnavailable("the engine is closed")
        asked = time.monotonic()
        worker = await self._worker(budget.seconds)
        # waiting counts: the deadline is a promise to whoever asked
        run = Run(self, worker, budget, time.monotonic() - asked)
        self.running.add(run)
        # whoever reads the answer may never come back for it: the run is over with its worker
        worker.when_lost = lambda: self.finish(run, reuse=False)
        stream = self._stream(run, worker.ask(question), question.format)
        head = bytearray()
        try:
            async for piece in stream:
                head += piece
                if len(head) >= frames.CHUNK:
                    taken = time.monotonic() - run.began
                    return AsyncAnswer(bytes(head), Rest(self, run, stream), taken)
        except BaseException:
            self.finish(run, reuse=False)
            raise
        return AsyncAnswer(bytes(head), None, time.monotonic() - run.began)

    async def _stream(self, run: Run, number: int, format_name: str) -> AsyncIterator[bytes]:
        """The pieces of an answer; ends only when the answer is whole."""
        size = 0
        count = rows.counter(format_name) if run.budget.rows else None
        while True:
            found, kind, payload = await self._receive(run)
            if found != number:
                raise EngineUnavailable("a query process answered another question")
            if kind == frames.END:
                self.finish(run, reuse=json.loads(payload)["memory"] < KEPT_MEMORY)
                return
            if kind == frames.FAULT:
                # after an error in mid-stream bytes may be left in it: it never answers again
                self.finish(run, reuse=size == 0)
                raise _fault(json.loads(payload))
            size += len(payload)
            keep_within(run.budget, size, count(payload) if count is not None else 0)
            yield payload

    async def _receive(self, run: Run) -> tuple[int, bytes, bytes]:
        try:
            return await run.worker.receive()
        except EOFError:
            raise run.reason or _death(await run.worker.exit_status()) from None

    def finish(self, run: Run, *, reuse: bool) -> None:
        """The run is over; its worker is free, or replaced."""
        if run.finished:
            return
        run.finished = True
        run.worker.when_lost = None
        run.stop_clocks()
        self.running.discard(run)
        self._leave(run)
        worker = run.worker
        if reuse and run.lane == "fast" and run.reason is None and not worker.lost:
            self._offer(worker)
        else:
            self.notice("replaced")
            self._discard(worker)

    def state(self) -> dict[str, int]:
        """Numbers for /metrics and for those who look."""
        return {
            "idle": len(self.idle),
            "running": len(self.running),
            "slow": self.slow,
            "parked": len(self.parked),
            "waiting": len(self.hopeful),
        }

    async def close(self) -> None:
        """End all processes."""
        self.closed = True
        for run in list(self.running):
            run.end(EngineUnavailable("the server is stopping"))
        if self.tasks:  # what is starting is waited for: nobody else would end it
            await asyncio.wait(self.tasks, timeout=5)
        for worker in [*self.members, *self.idle]:
            worker.kill()
        for waiting in self.hopeful:
            if not waiting.done():
                waiting.set_exception(EngineUnavailable("the server is stopping"))
        await asyncio.gather(*(_reap(worker) for worker in self.members))
        if self.nursery is not None:
            self.nursery.close(asyncio.get_running_loop())


async def _reap(worker: Worker) -> None:
    """Leave no zombie behind."""
    await worker.exit_status()


def keep_within(budget: Budget, size: int, count: int) -> None:
    """Raise QueryTooCostly when an answer has grown over its budget."""
    if size > budget.bytes:
        raise _too_much(f"{budget.bytes} bytes")
    if budget.rows and count > budget.rows:
        raise _too_much(f"{budget.rows} rows")


def _too_much(limit: str) -> QueryTooCostly:
    return QueryTooCostly(
        f"the answer is larger than the {limit} an answer may have",
        fix="add a LIMIT, ask for less, or take a download",
    )


def _fault(report: dict[str, Any]) -> PublisherError:
    """The error that a worker reported."""
    if report["family"] == "syntax":
        place = {"line": report["line"], "column": report["column"]}
        return MalformedQuery(report["what"], **place, fix=report["fix"])
    if report["family"] == "format":
        return NotAcceptable(
            report["what"],
            offered=tuple(report["offered"]),
            where=report["where"],
            fix=report["fix"],
        )
    log.error("a query failed: %s", report["what"])
    if report["family"] == "store":
        return EngineUnavailable("the store could not be read for this query")
    return BadRequest("the engine cannot evaluate this query", fix="say it another way")


def _death(status: int | None) -> EngineError:
    """What an unexpected end means: Rust aborts without memory, a full stack is a fault."""
    if status in (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS):
        return QueryTooCostly(
            "the query needs more memory than a query is given",
            fix="ask for less, or in several smaller queries",
        )
    log.error("a query process ended with %s", status)
    return EngineUnavailable("the process that ran this query ended", fix="try again")
