"""The engine over a release's own store: lookups here, everybody's queries in worker processes."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    NamedNode,
    Quad,
    QueryBoolean,
    QuerySolutions,
    Store,
    Triple,
)

from publisher.engine import answers, joins, rows, scan, simple
from publisher.engine.asking import ask
from publisher.engine.complaint import explain
from publisher.engine.held import Held, open_store
from publisher.engine.nursery import Life, Nursery
from publisher.engine.pool import Lanes, Pool, keep_within
from publisher.engine.question import (
    Answer,
    AsyncAnswer,
    Budget,
    Question,
    Row,
    Substitutions,
    rows_of,
)
from publisher.engine.worker import live, read_wording
from publisher.errors import NotAcceptable

T = TypeVar("T")
DEFAULT = DefaultGraph()


class Embedded:
    """One per process. The pool lives on the server's event loop, else on a loop of its own."""

    def __init__(
        self,
        release: Path,
        lanes: Lanes | None = None,
        notice: Callable[[str], None] = lambda _: None,
        memory: Held | None = None,
    ) -> None:
        """`memory` is the release's store, loaded; then this must be called without threads."""
        self.release = release.resolve()  # `current` may point elsewhere tomorrow
        self.held = memory if memory is not None else open_store(self.release)
        self.wording = read_wording(self.release)
        known = lanes or Lanes()
        nursery = None if memory is None else Nursery(memory, self._life(known))
        self.pool = Pool(self.release, known, notice, nursery)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def _life(self, lanes: Lanes) -> Life:
        """What a process out of the nursery does."""
        wording, megabytes, network = self.wording, lanes.memory // 2**20, lanes.network

        def life(end: socket.socket, held: Held) -> NoReturn:
            live(end, lambda: held, wording, megabytes, network)

        return life

    # our own questions: bounded, or trusted because we wrote them

    def select(self, query: str, substitutions: Substitutions | None = None) -> list[Row]:
        """The rows of one of our own queries; unbound variables are left out of a row."""
        found = self.held.needed(query).query(
            query, prefixes=self.wording.prefixes_in(query), substitutions=dict(substitutions or {})
        )
        assert isinstance(found, QuerySolutions), "only SELECT has rows"
        return rows_of(found)

    def ask(self, query: str, substitutions: Substitutions | None = None) -> bool:
        """The answer to one of our own questions."""
        found = self.held.needed(query).query(
            query, prefixes=self.wording.prefixes_in(query), substitutions=dict(substitutions or {})
        )
        assert isinstance(found, QueryBoolean), "only ASK has a yes or no"
        return bool(found)

    def lookup(self, iri: str) -> list[Triple]:
        """The triples whose subject this is."""
        return [quad.triple for quad in self.about(iri)]

    def described(self, iri: str) -> list[Triple]:
        """The same, and those of the unnamed nodes that they lead to (lists, shapes in shapes)."""
        found = self.lookup(iri)
        seen: set[BlankNode] = set()
        for triple in found:  # which grows meanwhile
            node = triple.object
            if isinstance(node, BlankNode) and node not in seen:
                seen.add(node)
                more = self.held.union.quads_for_pattern(node, None, None, DEFAULT)
                found += [quad.triple for quad in more]
        return found

    def about(self, iri: str) -> list[Quad]:
        """The same as the index has them."""
        try:
            subject = NamedNode(iri)
        except ValueError:
            return []
        return list(self.held.union.quads_for_pattern(subject, None, None, DEFAULT))

    def graph(self, iri: str) -> list[Triple]:
        """The triples of one named graph."""
        found = self.held.whole.quads_for_pattern(None, None, None, NamedNode(iri))
        return [quad.triple for quad in found]

    def count(self) -> int:
        """How many distinct triples there are."""
        return sum(1 for _ in self.held.union.quads_for_pattern(None, None, None, DefaultGraph()))

    def graphs(self) -> tuple[str, ...]:
        """The names of all graphs."""
        return self._graphs

    @cached_property
    def _graphs(self) -> tuple[str, ...]:
        names = self.held.whole.named_graphs()
        return tuple(sorted(name.value for name in names if isinstance(name, NamedNode)))

    # everybody's questions

    def answer_here(self, question: Question, budget: Budget) -> bytes | None:
        """The answer to a question whose work is provably bounded; None for any other."""
        if question.dataset.default is not None or question.dataset.named is not None:
            return None
        known = simple.read(question.query)
        if known is None:
            return self._joined(question, budget)
        if self.held.is_hub(scan.subject(known, self.wording.prefixes)):
            return None
        # the store that a worker would take: its order is that of the further pages of an answer
        store = self.held.needed(question.query)
        try:
            body = None
            if question.format == "json":
                body = scan.answer(known, store, self.wording.prefixes)
            if body is None:
                body = self._evaluated(question, store)
        except answers.Oversized:
            return None
        keep_within(budget, len(body), rows.counter(question.format)(body) if budget.rows else 0)
        return body

    def _joined(self, question: Question, budget: Budget) -> bytes | None:
        """The answer to a join of few matches; None for anything else."""
        if question.format != "json" or self.held.columns is None:
            return None
        known = joins.read(question.query)
        found = self.held.columns.answer(known, self.wording.prefixes) if known else None
        if found is None:
            return None
        keep_within(budget, len(found[0]), found[1])
        return found[0]

    def _evaluated(self, question: Question, store: Store) -> bytes:
        """A whole answer. Results belong to their thread, so no error may carry them elsewhere."""
        try:
            found = ask(
                store,
                question.query,
                base_iri=question.base or None,
                prefixes=self.wording.prefixes_in(question.query),
            )
            return answers.whole(found, question.format, self.wording, scan.MOST_BYTES)
        except SyntaxError as error:
            raise explain(error, question.query, self.wording.prefixes) from None
        except NotAcceptable as error:
            raise error.with_traceback(None) from None

    async def answer(self, question: Question, budget: Budget) -> AsyncAnswer:
        """The answer to anybody's query, on the event loop that the pool lives on."""
        here = self.answer_here(question, budget)
        if here is not None:
            return AsyncAnswer(here)
        return await self.pool.answer(question, budget)

    def stream(self, question: Question, budget: Budget) -> Answer:
        """The same for a thread."""
        here = self.answer_here(question, budget)
        if here is not None:
            return Answer(here)
        found = self._wait(self.pool.answer(question, budget))
        return Answer(found.head, self._pieces(found) if found.rest is not None else None)

    def _pieces(self, found: AsyncAnswer) -> Iterator[bytes]:
        assert found.rest is not None
        rest: Any = found.rest
        try:
            while True:
                try:
                    yield self._wait(anext(rest))
                except StopAsyncIteration:
                    return
        finally:
            self._wait(rest.aclose())

    # where the pool lives

    async def attach(self) -> None:
        """Let the pool live on the running loop; call once, before anything is asked."""
        self._loop = asyncio.get_running_loop()
        await self.pool.start()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._running_loop()).result()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="engine", daemon=True
                )
                self._thread.start()
                asyncio.run_coroutine_threadsafe(self.pool.start(), self._loop).result()
            return self._loop

    def close(self) -> None:
        """End all workers; idempotent."""
        if self._thread is None or self._loop is None or not self._thread.is_alive():
            return
        self._wait(self.pool.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def detach(self) -> None:
        """End all workers from the loop that the pool lives on."""
        await self.pool.close()
