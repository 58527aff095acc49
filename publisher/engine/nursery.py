"""Where query processes come from when the release fits into memory: a process that only forks.

A store in memory answers two to three times as fast as one on disk; a forked process shares its
pages; starting one takes a few milliseconds instead of a hundred. Forking is only sound in a
process without threads, so the nursery is forked off before the server starts any.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import signal
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn

from publisher.engine.held import Held
from publisher.errors import EngineUnavailable

START_SECONDS = 30.0
STATUS_SECONDS = 2.0
MESSAGE = 4096
REMEMBERED = 256

Life = Callable[[socket.socket, Held], NoReturn]


class Nursery:
    """The serving process's end: asks for processes, and hears how they ended."""

    def __init__(self, held: Held, life: Life) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            _stay(theirs, held, life)
        theirs.close()
        ours.setblocking(False)
        self.line = ours
        self.expected: deque[asyncio.Future[int]] = deque()
        self.ended: dict[int, asyncio.Future[int]] = {}

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hear the nursery on this loop."""
        loop.add_reader(self.line, self._hear)

    async def start(self, end: socket.socket) -> int:
        """A new process with its end of a line; its process id."""
        loop = asyncio.get_running_loop()
        born: asyncio.Future[int] = loop.create_future()
        self.expected.append(born)
        socket.send_fds(self.line, [b"+"], [end.fileno()])
        return await asyncio.wait_for(asyncio.shield(born), START_SECONDS)

    async def status(self, pid: int) -> int | None:
        """How a process ended: its exit code, or the negative number of a signal."""
        found = self.ended.get(pid)
        if found is None:
            return None
        try:
            return await asyncio.wait_for(asyncio.shield(found), STATUS_SECONDS)
        except TimeoutError:
            return None

    def _hear(self) -> None:
        try:
            message = self.line.recv(MESSAGE)
        except BlockingIOError:
            return
        if not message:  # the nursery is gone, and with it what this process is good for
            asyncio.get_running_loop().remove_reader(self.line)
            while self.expected:
                self.expected.popleft().set_exception(EngineUnavailable("no more processes"))
            os.kill(os.getpid(), signal.SIGTERM)
            return
        kind, pid, status = json.loads(message)
        if kind == "born":
            self._forget_old()
            self.ended[pid] = asyncio.get_running_loop().create_future()
            born = self.expected.popleft()
            if not born.done():
                born.set_result(pid)
        elif pid in self.ended and not self.ended[pid].done():
            self.ended[pid].set_result(status)

    def _forget_old(self) -> None:
        """Both the reader and the reaper ask how a process ended; long after, nobody does."""
        while len(self.ended) > REMEMBERED and next(iter(self.ended.values())).done():
            del self.ended[next(iter(self.ended))]

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the nursery end."""
        loop.remove_reader(self.line)
        self.line.close()
        os.waitpid(self.pid, 0)


def _stay(line: socket.socket, held: Held, life: Life) -> NoReturn:
    """The nursery's own life: fork when asked, tell who ended, end with its parent."""
    keep = line.fileno()
    os.closerange(3, keep)  # the listening socket above all
    os.closerange(keep + 1, 65536)
    gc.freeze()
    for name in (signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    bell, ringer = os.pipe()
    os.set_blocking(ringer, False)
    signal.set_wakeup_fd(ringer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(line, select.POLLIN)
    poll.register(bell, select.POLLIN)
    try:
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if bell in ready:
                os.read(bell, MESSAGE)
                _tell_the_dead(line)
            if keep in ready:
                _give_birth(line, held, life)
    finally:
        os._exit(0)


def _tell_the_dead(line: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _say(line, "ended", pid, os.waitstatus_to_exitcode(status))


def _give_birth(line: socket.socket, held: Held, life: Life) -> None:
    message, descriptors, _, _ = socket.recv_fds(line, MESSAGE, 1)
    if not message:
        os._exit(0)
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        line.close()
        life(socket.socket(fileno=descriptors[0]), held)
    os.close(descriptors[0])
    _say(line, "born", pid, 0)


def _say(line: socket.socket, *message: Any) -> None:
    line.send(json.dumps(message).encode())
