"""The parent process: starts serving processes, replaces dead ones, follows the release, stops.

Every listening socket is the parent's, and outlives the process that accepts from it: connections
that wait at a process that dies are accepted by the next one. On Linux there is one for each
process (SO_REUSEPORT spreads connections evenly; from a single socket, one or two processes take
most). It never gives up: a process that dies is replaced, however often. Processes of another
release take over when they are ready, each from the socket of one that leaves; the old ones finish
what they have begun.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from publisher.errors import UsageError

log = logging.getLogger("publisher.server")

BACKLOG = 2048
LOOK_SECONDS = 1.0
PAUSE_SECONDS = 0.5
START_SECONDS = 60
STOP_SECONDS = 15
# what tells a serving process that another one takes over
LEAVE = signal.SIGUSR1 if sys.platform != "win32" else signal.SIGTERM

Serve = Callable[[socket.socket, Path], None]


class Served(Protocol):
    """What is served, as the supervisor needs to know it."""

    def refresh(self) -> bool:
        """Open what is current now, told in the log; False when that fails: the old one stays."""

    def revert(self) -> None:
        """Back to what was served before the last `refresh`."""

    def is_outdated(self) -> bool:
        """Whether there is another one than was tried last."""


class Supervisor:
    """`serve(listener, ready)` is a serving process's life; it touches `ready` when it accepts.

    `shared` is a folder of this server's own; `patience` is how long, in seconds, a process that
    leaves may take.
    """

    def __init__(
        self, served: Served, serve: Serve, shared: Path, processes: int, patience: float
    ) -> None:
        self.served = served
        self.serve = serve
        self.shared = shared
        self.places = max(1, processes)
        self.patience = patience
        context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self.process: Callable[..., BaseProcess] = context.Process  # type: ignore[attr-defined]
        self.listeners: list[socket.socket] = []
        self.processes: list[BaseProcess] = []
        self.outgoing: list[tuple[BaseProcess, float]] = []
        self.started = 0
        # a handler may interrupt another, even itself; a lock, as an Event has, would wait for ever
        self.woken, self.waking = socket.socketpair()
        self.woken.setblocking(False)
        self.waking.setblocking(False)
        self.is_stopping = False
        self.is_told_to_follow = False

    def run(self, host: str, port: int) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP opens the release anew."""
        own = self.places if sys.platform == "linux" else 1
        self.listeners = [listen(host, port) for _ in range(own)]
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        if sys.platform != "win32":
            signal.signal(signal.SIGHUP, self._follow_soon)
            signal.signal(signal.SIGCHLD, self._wake)
        self.processes = [self._start(place) for place in range(self.places)]
        try:
            while not self.is_stopping:
                if wait([self.woken], LOOK_SECONDS):
                    self.woken.recv(65536)
                self._look()
        finally:
            self._end()

    def _stop(self, *_: object) -> None:
        self.is_stopping = True
        self._wake()

    def _follow_soon(self, *_: object) -> None:
        self.is_told_to_follow = True
        self._wake()

    def _wake(self, *_: object) -> None:
        """Look now. When the line is full, that is going to happen anyway; closed, it is over."""
        with contextlib.suppress(OSError):
            self.waking.send(b".")

    def _start(self, place: int) -> BaseProcess:
        """A serving process; its name is its `ready` file's."""
        self.started += 1
        name = f"ready-{self.started}"
        listener = self.listeners[place % len(self.listeners)]
        process = self.process(target=self.serve, args=(listener, self.shared / name), name=name)
        process.start()
        return process

    def _look(self) -> None:
        """What must be done now: replace the dead, see old ones off, follow the release."""
        for process, until in list(self.outgoing):
            if not process.is_alive():
                self.outgoing.remove((process, until))
            elif time.monotonic() > until:
                process.kill()
        dead = [place for place, process in enumerate(self.processes) if not process.is_alive()]
        if dead and not self.is_stopping:
            log.error("%d serving processes ended, starting others", len(dead))
            time.sleep(PAUSE_SECONDS)
            for place in dead:
                self.processes[place] = self._start(place)
        if not self.is_stopping and (self.is_told_to_follow or self.served.is_outdated()):
            self.is_told_to_follow = False
            self._follow()

    def _follow(self) -> None:
        """New processes over what is current now; when they are ready, the old ones leave."""
        if not self.served.refresh():
            return
        old, new = self.processes, [self._start(place) for place in range(self.places)]
        if self._are_ready(new):
            self.processes = new
        else:
            log.error("no process can serve the release, the old one stays")
            self.served.revert()
            old, self.processes = new, old
        until = time.monotonic() + self.patience
        for process in old:
            if process.pid is not None and process.is_alive():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, LEAVE)
            self.outgoing.append((process, until))

    def _are_ready(self, processes: list[BaseProcess]) -> bool:
        """Wait until all of them accept; False when one of them does not come up."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and not self.is_stopping:
            if not all(process.is_alive() for process in processes):
                return False
            if all((self.shared / process.name).exists() for process in processes):
                return True
            time.sleep(0.05)
        return self.is_stopping

    def _end(self) -> None:
        """Let all of them finish what they have begun; what takes too long is ended."""
        left = [*self.processes, *(process for process, _ in self.outgoing)]
        until = time.monotonic() + STOP_SECONDS
        while (alive := [p for p in left if p.is_alive()]) and time.monotonic() < until:
            for process in alive:
                process.terminate()  # again: one that has just begun may not hear the first
            wait([process.sentinel for process in alive], 1)
        for process in left:
            if process.is_alive():
                process.kill()
                process.join()
        for line in (*self.listeners, self.woken, self.waking):
            line.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; UsageError when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind(address)
        found.listen(BACKLOG)
    except OSError as error:
        raise UsageError(
            f"cannot be listened on: {error.strerror}",
            where=f"{host}:{port}",
            fix="choose another port (--port, or PORT= with make)",
        ) from error
    found.setblocking(False)
    return found
