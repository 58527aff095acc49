"""What is asked of an engine, what it may cost, and what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pyoxigraph import BlankNode, Literal, NamedNode, QuerySolutions, Triple, Variable

Term = NamedNode | BlankNode | Literal | Triple
Substitutions = Mapping[Variable, Term]
Row = dict[str, Term]


@dataclass(frozen=True)
class Dataset:
    """The graphs a request names; both None means what the query says, else the whole release."""

    default: tuple[str, ...] | None = None
    named: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Question:
    """One query, the name of the format its answer is wanted in, and its dataset."""

    query: str
    format: str
    dataset: Dataset = Dataset()
    base: str = ""


@dataclass(frozen=True)
class Budget:
    """What one query may cost; 0 rows means that rows are not counted."""

    seconds: float = 30.0
    bytes: int = 256 * 2**20
    rows: int = 0


@dataclass(frozen=True)
class Answer:
    """An answer that has begun: all of it in `head`, or its first part and the `rest`.

    A `rest` that raises instead of ending was cut; the reader must not be told that it is whole.
    """

    head: bytes
    rest: Iterator[bytes] | None = None


@dataclass(frozen=True)
class AsyncAnswer:
    """The same for the event loop; `seconds` is what the query took until the head was there."""

    head: bytes
    rest: AsyncIterator[bytes] | None = None
    seconds: float = 0.0


def rows_of(found: QuerySolutions) -> list[Row]:
    """The rows of an answer; unbound variables are left out of a row."""
    names = [variable.value for variable in found.variables]
    return [
        {name: term for name in names if (term := solution[name]) is not None} for solution in found
    ]


class Engine(Protocol):
    """What the site needs of whatever holds the release's triples."""

    def select(self, query: str, substitutions: Substitutions | None = None) -> list[Row]:
        """The rows of one of our own (trusted) queries."""
        ...

    def ask(self, query: str, substitutions: Substitutions | None = None) -> bool:
        """The answer to one of our own (trusted) questions."""
        ...

    def lookup(self, iri: str) -> list[Triple]:
        """The triples whose subject this is, in the union of all graphs."""
        ...

    def described(self, iri: str) -> list[Triple]:
        """The same, and those of the unnamed nodes that they lead to."""
        ...

    def graph(self, iri: str) -> list[Triple]:
        """The triples of one named graph."""
        ...

    def count(self) -> int:
        """How many distinct triples there are."""
        ...

    def graphs(self) -> Sequence[str]:
        """The names of all graphs."""
        ...

    def stream(self, question: Question, budget: Budget) -> Answer:
        """The answer to anybody's query, within a budget; raises EngineError or MalformedQuery."""
        ...

    def close(self) -> None:
        """Let go of everything; idempotent."""
        ...
