"""The process that a query runs in: one question at a time, until it is killed.

Two threads. The main one only watches the line to its parent, so that the process ends at once when
the parent is gone, even inside a query that never returns (PR_SET_PDEATHSIG would fire when the
spawning *thread* ends, which is not the same). The other has a large stack, because the parser and
the evaluator recurse with the query's nesting, and does everything.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from pyoxigraph import DefaultGraph, NamedNode, Quad, Store

from publisher.engine import answers, frames, sandbox
from publisher.engine.asking import ask
from publisher.engine.complaint import explain
from publisher.engine.held import Held, Opening, open_store
from publisher.errors import NotAcceptable
from publisher.jsonld import read_context

STACK = 256 * 2**20
_HANGUP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


class Line:
    """The worker's end of the socket pair."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.number = 0
        self.held = bytearray()

    def receive(self) -> dict[str, Any]:
        """The next question."""
        size = frames.HEADER.size
        self._fill(size)
        number, kind, length = frames.HEADER.unpack_from(self.held)
        if kind != frames.ASK:
            raise SystemExit(3)
        self._fill(size + length)
        self.number = number
        question: dict[str, Any] = json.loads(self.held[size : size + length])
        del self.held[: size + length]
        return question

    def send(self, *parts: tuple[bytes, bytes]) -> None:
        """Frames of the answer to the question at hand, in one go."""
        self.end.sendall(b"".join(frames.pack(self.number, *part) for part in parts))

    def _fill(self, size: int) -> None:
        """Hold at least so many bytes."""
        while len(self.held) < size:
            part = self.end.recv(frames.CHUNK)
            if not part:
                raise SystemExit(0)
            self.held += part


class Outlet:
    """Collects an answer and sends it in large frames."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.held = bytearray()

    def write(self, data: bytes) -> int:
        """Take some bytes of the answer."""
        self.held += data
        if len(self.held) >= frames.CHUNK:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Send what was collected."""
        if self.held:
            self.line.send((frames.DATA, bytes(self.held)))
            self.held.clear()

    def end(self, memory: int) -> None:
        """Send the rest, and that it was the rest."""
        end = (frames.END, json.dumps({"memory": memory}).encode())
        self.line.send((frames.DATA, bytes(self.held)), end)


def main(arguments: list[str]) -> NoReturn:
    """`worker <file descriptor> <release directory> <megabytes> <network: 0 or 1>`."""
    descriptor, release, megabytes, network = arguments
    folder = Path(release)
    live(
        socket.socket(fileno=int(descriptor)),
        lambda: open_store(folder),
        read_wording(folder),
        int(megabytes),
        network == "1",
    )


def live(
    end: socket.socket,
    opening: Opening,
    wording: answers.Wording,
    megabytes: int,
    network: bool,
) -> NoReturn:
    """Answer questions from this end of a line until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's ^C is for the parent
    sandbox.limit_memory(megabytes, STACK)
    threading.stack_size(STACK)
    work = (Line(end), opening, wording, network)
    threading.Thread(target=_serve, args=work, daemon=True).start()
    _watch(end)
    os._exit(0)


def _watch(end: socket.socket) -> None:
    """Return when the parent has gone."""
    poll = select.poll()
    poll.register(end, _HANGUP)
    while not poll.poll():
        pass


def _serve(line: Line, opening: Opening, wording: answers.Wording, network: bool) -> None:
    try:
        held = opening()
        confined = network or sandbox.confine()
        hello = {"thread": threading.get_native_id(), "confined": confined}
        line.send((frames.READY, json.dumps(hello).encode()))
        begin = _memory()
        while True:
            _answer(line, held, wording, begin)
    except (SystemExit, OSError):
        os._exit(0)  # the parent hung up
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def read_wording(release: Path) -> answers.Wording:
    """The prefixes and the context of a release."""
    prefixes = json.loads((release / "prefixes.json").read_text("utf-8"))
    context = json.loads((release / "context.jsonld").read_text("utf-8"))
    return answers.Wording(prefixes, read_context(context))


def _answer(line: Line, held: Held, wording: answers.Wording, begin: int) -> None:
    question = line.receive()
    outlet = Outlet(line)
    try:
        source, default, named = _dataset(held, question)
        results = ask(
            source,
            question["query"],
            base_iri=question["base"] or None,
            prefixes=wording.prefixes_in(question["query"]),
            default_graph=default,
            named_graphs=named,
        )
        answers.write(results, question["format"], outlet, wording)
        outlet.end(_memory() - begin)
    except SyntaxError as error:
        said = explain(error, question["query"], wording.prefixes)
        _fault(line, "syntax", said.what, line=said.line, column=said.column, fix=said.fix)
    except NotAcceptable as error:
        _fault(line, "format", error.what, offered=error.offered, where=error.where, fix=error.fix)
    except (BrokenPipeError, ConnectionError, SystemExit):
        raise
    except OSError as error:
        _fault(line, "store", str(error))
    except BaseException as error:  # a panic in Rust is not an Exception
        _fault(line, "engine", f"{type(error).__name__}: {error}")


def _fault(to: Line, family: str, what: str, **more: object) -> None:
    to.send((frames.FAULT, json.dumps({"family": family, "what": what, **more}).encode()))


def _dataset(
    held: Held, question: dict[str, Any]
) -> tuple[Store, list[Any] | None, list[Any] | None]:
    """The store to ask, and its graphs.

    Several default graphs are merged as a set first: the engine itself would give a triple that
    stands in two of them twice.
    """
    default: list[str] | None = question["default"]
    named: list[str] | None = question["named"]
    if default is None and named is None:
        return held.needed(question["query"]), None, None
    default = None if default is None else list(dict.fromkeys(default))
    if default is None or len(default) < 2:
        return held.whole, _graphs(default), _graphs(named)
    merged = Store()
    for name in default:
        merged.bulk_extend(Quad(*quad.triple) for quad in _quads(held.whole, name))
    for name in dict.fromkeys(named or ()):
        merged.bulk_extend(_quads(held.whole, name))
    return merged, [DefaultGraph()], _graphs(named)


def _quads(store: Store, name: str) -> Iterator[Quad]:
    return store.quads_for_pattern(None, None, None, NamedNode(name))


def _graphs(names: list[str] | None) -> list[Any] | None:
    return None if names is None else [NamedNode(name) for name in names]


def _memory() -> int:
    """The most bytes this process ever held: one call, where /proc would take three."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


if __name__ == "__main__":
    main(sys.argv[1:])
