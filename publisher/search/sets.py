"""Sets of rows that panels pick from: which rows have which IRI, kept as lists of row numbers.

The build writes, for each set of [rows], its rows in their query's order, for each variable that
panels pick by the numbers of the rows of each IRI (`place`), and the other way round which IRI
each row has (`facet`). Picking is then set algebra on small integers; bodies are read for the rows
that are shown.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from publisher.engine.question import Row
from publisher.search.rows import read_row

Matches = Mapping[str, Iterable[str]]
Rows = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]


def pack(numbers: Iterable[int]) -> bytes:
    """Whole numbers below 2^32 as bytes, the same on every machine.

    >>> unpack(pack([1, 70000])).tolist()
    [1, 70000]
    """
    found = array("I", numbers)
    if sys.byteorder == "big":
        found.byteswap()
    return found.tobytes()


def unpack(packed: bytes) -> array[int]:
    """The numbers that `pack` wrote."""
    found = array("I")
    found.frombytes(packed)
    if sys.byteorder == "big":
        found.byteswap()
    return found


@dataclass(frozen=True)
class Facet:
    """Which IRI a variable has in each row of a set, from the row numbered `first` on."""

    first: int
    ordinals: array[int]  # 0: none, else one more than the place in `iris`
    iris: Sequence[str]


@dataclass
class Sets:
    """The sets of one index; facets and short lists are kept once they have been read."""

    rows: Rows
    _facets: dict[tuple[str, str], Facet] = field(default_factory=dict)

    def having(self, of: str, variable: str, iris: Iterable[str]) -> set[int]:
        """The rows in which a variable has one of these IRIs."""
        found: set[int] = set()
        wanted = json.dumps(sorted(iris))
        for (packed,) in self.rows(
            "SELECT rows FROM place WHERE of = ? AND variable = ?"
            " AND iri IN (SELECT value FROM json_each(?))",
            (of, variable, wanted),
        ):
            found.update(unpack(packed))
        return found

    def matching(self, of: str, matches: Matches) -> set[int]:
        """The rows in which each variable has one of its IRIs; none when nothing is asked."""
        found: set[int] | None = None
        for variable, iris in matches.items():
            mine = self.having(of, variable, iris)
            found = mine if found is None else found & mine
        return found or set()

    def pick(self, of: str, matches: Matches, without: Sequence[Matches] = ()) -> Picked:
        """The rows that match, but for those that match all of one of `without`."""
        found = self.matching(of, matches)
        for each in without:
            found -= self.matching(of, each)
        return Picked(self, of, frozenset(found))

    def facet(self, of: str, variable: str) -> Facet:
        """A variable of a set, row by row."""
        known = self._facets.get((of, variable))
        if known is None:
            found = self.rows(
                "SELECT first, ordinals, iris FROM facet WHERE of = ? AND variable = ?",
                (of, variable),
            )
            first, packed, iris = found[0] if found else (0, b"", "[]")
            known = self._facets[of, variable] = Facet(first, unpack(packed), json.loads(iris))
        return known


@dataclass(frozen=True)
class Picked:
    """Some rows of a set, in their order."""

    sets: Sets
    of: str
    numbers: frozenset[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def only(self, **matches: Iterable[str]) -> Picked:
        """Those that match more."""
        return Picked(self.sets, self.of, self.numbers & self.sets.matching(self.of, matches))

    @cached_property
    def ordered(self) -> list[int]:
        """Their numbers, in the order of the query."""
        return sorted(self.numbers)

    def rows(self, limit: int, offset: int = 0, first: Picked | None = None) -> list[Row]:
        """A part of the rows; those that are also in `first` before the others."""
        ordered = self.ordered
        if first is not None:
            ahead = first.numbers
            ordered = [n for n in ordered if n in ahead] + [n for n in ordered if n not in ahead]
        return self.read(ordered[offset : offset + limit])

    def read(self, numbers: Sequence[int]) -> list[Row]:
        """Rows by their numbers, in the order given."""
        found: dict[int, str] = dict(
            self.sets.rows(
                "SELECT id, body FROM row WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(numbers)),),
            )
        )
        return [read_row(found[number]) for number in numbers]

    def values(self, variable: str) -> list[str]:
        """The IRIs that a variable has in these rows, each once, in their order."""
        facet = self.sets.facet(self.of, variable)
        first, ordinals = facet.first, facet.ordinals
        found = dict.fromkeys([ordinals[number - first] for number in self.ordered])
        return [facet.iris[ordinal - 1] for ordinal in found if ordinal]
