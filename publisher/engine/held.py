"""A release's store, held in memory or opened on disk, and which part of it a query needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyoxigraph import DefaultGraph, NamedNode, QuerySolutions, Store

from publisher.errors import ReleaseDamaged

if TYPE_CHECKING:
    from publisher.engine.columns import Columns

MANY = 5000
MUCH = 1_000_000  # characters
_HUBS = (
    "SELECT ?s { ?s ?p ?o } GROUP BY ?s"
    f" HAVING (COUNT(*) > {MANY} || SUM(STRLEN(STR(?o))) > {MUCH})"
)
# Only these words let a query see a named graph; an escape might spell one of them.
_NAMES_GRAPHS = re.compile(r"graph|from|\\u", re.IGNORECASE)


@dataclass(frozen=True)
class Held:
    """All graphs, and the default graph for itself.

    The default graph is the union of the named ones, so everything has each triple twice. A store
    in memory keeps a chain for each term, and a search walks it past the triples of other graphs:
    with the default graph alone, joins take a quarter to a half less time. On disk the graph is a
    part of each key; there `union` is the same store.
    """

    whole: Store
    union: Store
    hubs: frozenset[str] | None = None  # None: not counted beforehand
    columns: Columns | None = None  # of the union; None on disk

    def needed(self, query: str) -> Store:
        """The smallest store that answers this query, when its request names no dataset."""
        return self.whole if _NAMES_GRAPHS.search(query) else self.union

    def is_hub(self, iri: str) -> bool:
        """Whether so much is said of this subject that reading it would hold others up."""
        if self.hubs is not None:
            return iri in self.hubs
        try:
            found = self.union.quads_for_pattern(NamedNode(iri), None, None, DefaultGraph())
        except ValueError:
            return False
        much = 0
        for many, quad in enumerate(found, 1):
            much += len(str(quad.object))
            if many > MANY or much > MUCH:
                return True
        return False


Opening = Callable[[], Held]


def open_store(release: Path) -> Held:
    """A release's store on disk, to be read only (anything else would make an empty one)."""
    try:
        store = Store.read_only(str(release / "store"))
    except OSError as error:
        raise ReleaseDamaged("the store cannot be opened", where=str(release)) from error
    return Held(store, store)


def load_store(release: Path) -> Held:
    """A release's store in memory: about 1 kB a triple.

    Quad by quad: loading a dump is no faster and gives blank nodes other names.
    """
    from publisher.engine.columns import Columns  # numpy: for those alone who hold a store

    whole, union = Store(), Store()
    whole.bulk_extend(iter(open_store(release).whole))
    union.bulk_extend(whole.quads_for_pattern(None, None, None, DefaultGraph()))
    columns = Columns(union.quads_for_pattern(None, None, None, DefaultGraph()))
    return Held(whole, union, _hubs(union), columns)


def _hubs(store: Store) -> frozenset[str]:
    """A second for a million triples."""
    found = store.query(_HUBS)
    assert isinstance(found, QuerySolutions)
    return frozenset(row["s"].value for row in found if isinstance(row["s"], NamedNode))
