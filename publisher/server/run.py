"""A serving process from its start to its end, and the start of all of them."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
import tempfile
from functools import partial
from pathlib import Path

from publisher import logs
from publisher.engine.embedded import Embedded
from publisher.engine.held import Held, load_store
from publisher.engine.question import Engine
from publisher.errors import PublisherError, UsageError
from publisher.limits import Shares
from publisher.metrics import Counters
from publisher.protocol.values import open_site
from publisher.remote import Remote
from publisher.server.bridge import Bridge
from publisher.server.connection import House, Limits
from publisher.server.door import Door
from publisher.server.front import Front
from publisher.server.supervisor import BACKLOG, LEAVE, STOP_SECONDS, Supervisor
from publisher.settings import Settings
from publisher.web import app_of, lanes_of

log = logging.getLogger("publisher.server")

LOOK_SECONDS = 1.0
# connections that are kept open hear in their next reply that this process leaves; those that say
# nothing for so long are closed
LEAVE_SECONDS = 2.5


class Current:
    """The current release as the supervisor holds it: forked processes share its memory."""

    def __init__(self, link: Path, settings: Settings) -> None:
        self.link = link
        self.most = settings.memory_triples if sys.platform == "linux" else 0
        self.supervisor = os.getpid()
        self.release = self.seen = link.resolve()
        self.store: Held | None = None
        self.before: tuple[Path, Held | None] = (self.release, None)

    def load(self) -> None:
        """Open what the link points at now; when that fails, what was held stays."""
        self.seen = self.link.resolve()
        manifest = json.loads((self.seen / "manifest.json").read_text("utf-8"))
        in_memory = int(manifest["triples"]) <= self.most
        self.release, self.store = self.seen, load_store(self.seen) if in_memory else None

    def refresh(self) -> bool:
        """The same for the supervisor: told in the log, and False when it fails."""
        self.before = self.release, self.store
        try:
            self.load()
        except (OSError, ValueError, KeyError, PublisherError) as error:
            log.error("the release cannot be opened, the old one stays: %s", error)
            return False
        log.info("serving the release %s", self.release.name)
        return True

    def revert(self) -> None:
        """Back to what was held before `refresh`."""
        self.release, self.store = self.before

    def is_outdated(self) -> bool:
        """Whether the link points at a release that was not tried yet."""
        found = self.link.resolve()
        return found != self.seen and (found / "manifest.json").is_file()


class Application:
    """All that a serving process has. Make it before there is a thread or a loop: it forks."""

    def __init__(self, held: Current, settings: Settings, shared: Path) -> None:
        self.settings = settings
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

    async def run(self, listener: socket.socket, ready: Path, supervisor: int) -> None:
        """Answer what comes to a listening socket until SIGTERM, or until the supervisor is gone.

        At LEAVE it accepts no more, and ends when its connections have.
        """
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        leave = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        loop.add_signal_handler(LEAVE, leave.set)
        if isinstance(self.engine, Embedded):
            await self.engine.attach()
        own = self.settings
        limits = Limits(own.connections, own.header_seconds, own.idle_seconds, own.stall_seconds)
        house = House(self.front.serve, self.front.at_once, self.front.refuse, limits)
        server = await loop.create_server(house, sock=listener, backlog=BACKLOG)
        ready.touch()
        orphaned = loop.create_task(_end_with(supervisor, stop))
        await _first(stop, leave)
        server.close()
        if leave.is_set() and not stop.is_set():
            house.is_leaving = True
            await _within(LEAVE_SECONDS, stop)
        patience = STOP_SECONDS - 3.0
        if leave.is_set() and not stop.is_set():
            patience = own.query_seconds + own.answer_seconds
        emptied = loop.create_task(house.empty(patience))
        await _first(emptied, *([] if stop.is_set() else [stop]))
        if not emptied.done():  # told to stop while it was leaving
            emptied.cancel()
            await house.empty(STOP_SECONDS - 3.0)
        orphaned.cancel()
        self.bridge.close()
        if isinstance(self.engine, Embedded):
            await self.engine.detach()


async def _first(*events: asyncio.Event | asyncio.Task[None]) -> None:
    """Return when one of them is set, or done."""
    tasks = [
        one if isinstance(one, asyncio.Task) else asyncio.ensure_future(one.wait())
        for one in events
    ]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task, one in zip(tasks, events, strict=True):
        if task is not one:
            task.cancel()


async def _within(seconds: float, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


async def _end_with(parent: int, stop: asyncio.Event) -> None:
    """Stop when the supervisor is gone: nobody would ever stop this process."""
    while os.getppid() == parent:
        await asyncio.sleep(LOOK_SECONDS)
    stop.set()


def open_engine(held: Current, settings: Settings, counters: Counters) -> Engine:
    """The release's own store, or the SPARQL services that the settings name."""
    if settings.engine:
        return Remote(settings.engine, settings)
    return Embedded(held.release, lanes_of(settings), counters.event, held.store)


def live(
    held: Current, settings: Settings, shared: Path, listener: socket.socket, ready: Path
) -> None:
    """The life of a serving process."""
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(name, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it is the supervisor's
    logs.configure(settings.log_level, settings.log_format)
    application = Application(held, settings, shared)
    gc.collect()
    gc.freeze()  # what lives as long as the process need not be looked at again
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(application.run(listener, ready, held.supervisor))
    # threads that still make a page nobody waits for must not keep this process
    logging.shutdown()
    os._exit(0)


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # not to be had on Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def serve(release_dir: Path, settings: Settings) -> None:
    """Serve a release until SIGTERM or SIGINT; SIGHUP, or another `current`, opens it anew.

    `release_dir` may be a link: new serving processes open what it then points at, and the old
    ones finish what they have begun.
    """
    if not (release_dir / "manifest.json").is_file():
        raise UsageError("this is not a release", where=str(release_dir), fix="build one first")
    port = settings.port or free_port(settings.host)
    logs.configure(settings.log_level, settings.log_format)
    with tempfile.TemporaryDirectory(prefix="publisher-") as shared:
        held = Current(release_dir, settings)
        held.load()
        patience = LEAVE_SECONDS + settings.query_seconds + settings.answer_seconds
        life = partial(live, held, settings, Path(shared))
        supervisor = Supervisor(held, life, Path(shared), settings.processes, patience)
        log.info("serving %s on http://%s:%d/", release_dir.name, settings.host, port)
        supervisor.run(settings.host, port)


def free_port(host: str) -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        found: int = probe.getsockname()[1]
        return found
