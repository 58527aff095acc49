"""Starting the serving processes, following the release that is current, stopping."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, cast

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.net import SocketSpec  # type: ignore[attr-defined,unused-ignore]
from granian.server import Server

from publisher import logs
from publisher.engine.embedded import Embedded
from publisher.engine.held import Held, load_store
from publisher.engine.question import Engine
from publisher.errors import PublisherError, UsageError
from publisher.limits import Shares
from publisher.metrics import Counters
from publisher.protocol.values import open_site
from publisher.remote import Remote
from publisher.server import leaving
from publisher.server.bridge import Bridge
from publisher.server.door import Door
from publisher.server.front import Front
from publisher.settings import Settings
from publisher.web import app_of, lanes_of

log = logging.getLogger("publisher.server")

BACKLOG = 2048
HEADER_BYTES = 128 * 1024
LOOK_SECONDS = 1.0
STOP_SECONDS = 15
START_SECONDS = 60


class Current:
    """The current release as the supervisor holds it: forked processes share its memory."""

    def __init__(self, link: Path, settings: Settings) -> None:
        self.link = link
        self.most = settings.memory_triples if sys.platform == "linux" else 0
        self.supervisor = os.getpid()
        self.release = self.seen = link.resolve()
        self.store: Held | None = None

    def load(self) -> None:
        """Open what the link points at now; when that fails, what was held stays."""
        self.seen = self.link.resolve()
        manifest = json.loads((self.seen / "manifest.json").read_text("utf-8"))
        in_memory = int(manifest["triples"]) <= self.most
        self.release, self.store = self.seen, load_store(self.seen) if in_memory else None

    def is_outdated(self) -> bool:
        """Whether the link points at a release that was not tried yet."""
        found = self.link.resolve()
        return found != self.seen and (found / "manifest.json").is_file()


class Application:
    """What granian loads in every serving process."""

    def __init__(self, held: Current, settings: Settings, shared: Path) -> None:
        self.supervisor = held.supervisor  # asked now, the parent might be another already
        self.shared = shared
        logs.configure(settings.log_level, settings.log_format)
        counters = Counters(shared)
        self.engine = open_engine(held, settings, counters)
        site = open_site(held.release, self.engine, settings)
        self.bridge = Bridge(app_of(site), settings.threads)
        shares = Shares(
            shared / "shares",
            seconds=settings.client_seconds,
            errors=settings.client_errors,
            loopback=settings.limit_loopback,
        )
        self.front = Front(site, self.bridge, shares, counters, Door(settings))
        self.__rsgi__ = self.front.serve

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        _end_with(self.supervisor, loop)
        if isinstance(self.engine, Embedded):
            loop.run_until_complete(self.engine.attach())
        loop.add_signal_handler(leaving.SIGNAL, self._leave, loop)
        ready_file(self.shared, os.getpid()).touch()

    def _leave(self, loop: asyncio.AbstractEventLoop) -> None:
        """Another release is served: finish what has come, then stop."""
        if not self.front.leaving:
            self.front.leaving = True
            leaving.stop_accepting()
            loop.call_later(leaving.SECONDS, os.kill, os.getpid(), signal.SIGTERM)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.bridge.close()
        if isinstance(self.engine, Embedded):
            loop.run_until_complete(self.engine.detach())


def _end_with(parent: int, loop: asyncio.AbstractEventLoop) -> None:
    """Stop when the supervisor is gone: nobody would ever stop this process."""
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        loop.call_later(LOOK_SECONDS, _end_with, parent, loop)


def ready_file(shared: Path, pid: int) -> Path:
    """Stands there when the serving process of this number is about to accept."""
    return shared / f"ready-{pid}"


def open_engine(held: Current, settings: Settings, counters: Counters) -> Engine:
    """The release's own store, or the SPARQL services that the settings name."""
    if settings.engine:
        return Remote(settings.engine, settings)
    return Embedded(held.release, lanes_of(settings), counters.event, held.store)


class Supervisor(Server):  # type: ignore[misc,valid-type]
    """granian's parent process, with four differences.

    Every listening socket is the parent's, and outlives the process that accepts from it. On Linux
    there is one for each process (SO_REUSEPORT spreads connections evenly; from a single socket,
    one or two processes take them all); granian has each process open its own, so that connections
    that wait at one that dies are reset. Dead processes are looked for, not only heard of: two that
    die at once would be taken for one. It never gives up: a process that dies twice within seconds
    would end the whole server. And those of another release take over when they are ready, each
    from the socket of one that leaves; the old ones go in their own time.
    """

    held: Current
    shared: Path
    patience: float
    wrks: list[Any]
    outgoing: list[tuple[Any, float]]
    reload_signal: bool
    interrupt_signal: bool

    def _init_shared_socket(self) -> None:
        own = self.workers if sys.platform == "linux" else 1
        spec = SocketSpec(self.bind_addr, self.bind_port, self.backlog)
        self.listeners = [spec.build() for _ in range(own)]
        self._shd = self.listeners[0]
        self._sfd = self._shd.get_fd()
        self._sso = socket.socket(fileno=self._sfd)
        self._sso.set_inheritable(True)

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:
        self._shd = self.listeners[idx % len(self.listeners)]
        return super()._spawn_worker(idx, target, callback_loader)

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        while True:
            self.main_loop_interrupt.wait(LOOK_SECONDS)
            self.main_loop_interrupt.clear()
            self.interrupt_children.clear()
            if self.interrupt_signal:
                return
            self._see_off()
            dead = [place for place, process in enumerate(self.wrks) if not process.is_alive()]
            if dead:
                log.error("%d serving processes ended, starting others", len(dead))
                self._respawn_workers(dead, spawn_target, target_loader)
            if self.reload_signal or self.held.is_outdated():
                self.reload_signal = False
                self._follow(spawn_target, target_loader)

    def _follow(self, spawn_target: Any, target_loader: Any) -> None:
        """New serving processes over what the link points at now; when they are ready, the old
        ones leave. What cannot be opened or started is told, and the old ones stay."""
        before = self.held.release, self.held.store
        try:
            self.held.load()
        except (OSError, ValueError, KeyError, PublisherError) as error:
            log.error("the release cannot be opened, the old one stays: %s", error)
            return
        log.info("serving the release %s", self.held.release.name)
        old, self.wrks = self.wrks, []
        self._spawn_workers(spawn_target, target_loader)
        if not self._are_ready():
            log.error("no process can serve the release, the old one stays")
            self.held.release, self.held.store = before
            old, self.wrks = self.wrks, old
        self._send_off(old)

    def _send_off(self, processes: list[Any]) -> None:
        """Tell processes to leave."""
        until = time.monotonic() + self.patience
        for process in processes:
            process.interrupt_by_parent = True  # its end is no accident
            if process.is_alive():
                os.kill(process.inner.pid, leaving.SIGNAL)
            self.outgoing.append((process, until))

    def _are_ready(self) -> bool:
        """Wait until all new processes accept; False when one of them does not come up."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and not self.interrupt_signal:
            if not all(process.is_alive() for process in self.wrks):
                return False
            files = [ready_file(self.shared, process.inner.pid) for process in self.wrks]
            if all(file.exists() for file in files):
                return True
            time.sleep(0.05)
        return self.interrupt_signal

    def _see_off(self) -> None:
        """Those that leave have as long as the longest answer; then they are stopped."""
        for process, until in list(self.outgoing):
            if not process.is_alive():
                self.outgoing.remove((process, until))
            elif time.monotonic() > until:
                process.kill()

    def _stop_workers(self) -> None:
        self.wrks += [process for process, _ in self.outgoing if process.is_alive()]
        self.outgoing.clear()
        super()._stop_workers()


def load(held: Current, settings: Settings, shared: Path) -> Application:
    """The application; granian calls this in each serving process."""
    return Application(held, settings, shared)


def serve(release_dir: Path, settings: Settings) -> None:
    """Serve a release until SIGTERM or SIGINT; SIGHUP, or another `current`, opens it anew.

    `release_dir` may be a link: new serving processes open what it then points at, and the old
    ones finish what they have begun.
    """
    if not (release_dir / "manifest.json").is_file():
        raise UsageError("this is not a release", where=str(release_dir), fix="build one first")
    port = settings.port or free_port(settings.host)
    logs.configure(settings.log_level, settings.log_format)
    if sys.platform == "linux":  # forked processes share what the supervisor holds
        multiprocessing.set_start_method("fork", force=True)
    with tempfile.TemporaryDirectory(prefix="publisher-") as shared:
        server = Supervisor(
            "publisher.server.run:load",
            address=settings.host,
            port=port,
            interface=Interfaces.RSGI,
            workers=max(1, settings.processes),
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            backpressure=settings.connections,
            http1_settings=HTTP1Settings(
                header_read_timeout=int(settings.header_seconds * 1000),
                max_buffer_size=HEADER_BYTES,
            ),
            log_enabled=settings.log_level == "debug",
            respawn_interval=0.5,
            workers_kill_timeout=STOP_SECONDS,
        )
        log.info("serving %s on http://%s:%d/", release_dir.name, settings.host, port)
        server.shared, server.outgoing = Path(shared), []
        server.patience = leaving.SECONDS + settings.query_seconds + settings.answer_seconds
        server.held = Current(release_dir, settings)
        server.held.load()
        loader = partial(load, server.held, settings, Path(shared))
        server.serve(target_loader=cast(Any, loader), wrap_loader=False)


def free_port(host: str) -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        found: Any = probe.getsockname()[1]
        return int(found)
