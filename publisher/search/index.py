"""Reads a release's `search.sqlite`: labels of IRIs, and entities by what people call them."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from publisher.errors import ReleaseDamaged
from publisher.search.sets import Sets
from publisher.search.words import distance, fold, identifier_forms, tolerance

MOST_WORDS = 12
_AT_ONCE = 500
_CANDIDATES = 600
_TRIES = 6


@dataclass(frozen=True)
class Known:
    """What an IRI is called, and the class that its badge names (empty when it has none)."""

    label: str
    kind: str


@dataclass(frozen=True)
class Hit:
    """One entity found, and the name by which it was found."""

    iri: str
    label: str
    kind: str
    matched: str
    sort: str
    retired: bool = False
    score: float = 0.0
    text: str = ""  # what it is, in a sentence


@dataclass(frozen=True)
class Found:
    """One page of hits, how many there are in all and of which kinds, and what was read instead.

    `cut`: so many fitted that the worst were not counted.
    """

    hits: tuple[Hit, ...]
    total: int
    kinds: Mapping[str, int]
    instead: str = ""
    cut: bool = False


@dataclass(frozen=True)
class _Score:
    """How well an entry fits; larger is better. `name` is the row of the name that fitted."""

    tier: int
    fine: float
    text: str = ""
    sort: str = ""


class _Connection(sqlite3.Connection):
    """Closed with its thread, of whose end nobody hears (Python 3.13 warns of open ones)."""

    def __del__(self) -> None:
        self.close()


@dataclass
class Index:
    """One release's index; every thread has its own connection."""

    path: Path
    _local: threading.local = field(default_factory=threading.local, repr=False)

    def _connection(self) -> sqlite3.Connection:
        known: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if known is None:
            try:
                known = sqlite3.connect(
                    f"file:{self.path}?mode=ro&immutable=1",
                    uri=True,
                    check_same_thread=False,
                    factory=_Connection,
                )
                known.execute("SELECT 1 FROM label LIMIT 1")
            except sqlite3.Error as error:
                raise ReleaseDamaged(
                    "the search index cannot be opened", where=FILE_HINT
                ) from error
            self._local.connection = known
        return known

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query on the file."""
        return self._connection().execute(query, tuple(values)).fetchall()

    # IRIs → names

    def known(self, iris: Iterable[str]) -> dict[str, Known]:
        """What these IRIs are called; those that the release says nothing of are left out."""
        wanted = list(dict.fromkeys(iris))
        found: dict[str, Known] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            rows = self.rows(f"SELECT iri, label, kind FROM label WHERE iri IN ({marks})", part)  # noqa: S608 - marks only
            found.update((iri, Known(label, kind)) for iri, label, kind in rows)
        return found

    def of_kind(self, kind: str, limit: int, offset: int = 0) -> list[tuple[str, str]]:
        """IRI and label of the entities of a kind, by label."""
        return self.rows(
            "SELECT iri, label FROM label WHERE kind = ? ORDER BY label COLLATE NOCASE, iri"
            " LIMIT ? OFFSET ?",
            (kind, limit, offset),
        )

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Kind → number of entities."""
        return dict(self.rows("SELECT kind, COUNT(*) FROM label GROUP BY kind"))

    @cached_property
    def sets(self) -> Sets:
        """The sets of rows that panels pick from."""
        return Sets(self.rows)

    def fact(self, name: str) -> list[dict[str, str]]:
        """The rows of a query that the build has asked already."""
        found = self.rows("SELECT body FROM fact WHERE name = ?", (name,))
        return json.loads(found[0][0]) if found else []

    # names → IRIs

    def find(
        self, text: str, *, kinds: Sequence[str] = (), limit: int = 20, offset: int = 0
    ) -> Found:
        """Entities by name, abbreviation or identifier; words that nobody wrote are corrected."""
        if not fold(text) and not text.strip():
            return Found((), 0, {})
        scores = self._scores(text)
        instead = ""
        if not any(score.tier >= 2 for score in scores.values()):
            instead = self.corrected(text)
            if instead:
                scores = self._scores(instead)
        if not scores:
            scores = self._any_word(fold(instead or text).split())
        return self._page(scores, kinds, limit, offset, instead)

    def _scores(self, text: str) -> dict[int, _Score]:
        form = fold(text)
        scores: dict[int, _Score] = {}

        def take(entry: int, score: _Score) -> None:
            if entry not in scores or (scores[entry].tier, scores[entry].fine) < (
                score.tier,
                score.fine,
            ):
                scores[entry] = score

        for exact in dict.fromkeys((form, *identifier_forms(text))):
            for entry, shown, sort, strength in self.rows(
                "SELECT entry, text, sort, strength FROM name WHERE form = ? LIMIT ?",
                (exact, _CANDIDATES),
            ):
                take(entry, _Score(4, -strength, shown, sort))
        if form:
            for entry, shown, sort, strength in self.rows(
                "SELECT entry, text, sort, strength FROM name WHERE form > ? AND form < ? LIMIT ?",
                (form, form + "\U0010ffff", _CANDIDATES),
            ):
                take(entry, _Score(3, -strength - len(shown) / 100, shown, sort))
            words = self.heard(form)
            # one word is no pair: it would find every pair of what it names
            for entry, rank in self._match(words, " AND ", "names ends" if words[1:] else "names"):
                take(entry, _Score(2, -rank))
            if words[1:]:
                for entry, rank in self._match(words, " AND ", "names ends above"):
                    take(entry, _Score(1, -rank))
            if not scores:
                for entry, rank in self._match(words, " AND ", ""):
                    take(entry, _Score(2, -rank))
        return scores

    @cached_property
    def _unheard(self) -> frozenset[str]:
        return frozenset(row["word"] for row in self.fact("unheard"))

    def heard(self, form: str) -> list[str]:
        """The words of a folded text that tell what is looked for; all when there are no others."""
        words = form.split()
        return ([word for word in words if word not in self._unheard] or words)[:MOST_WORDS]

    def _any_word(self, words: Sequence[str]) -> dict[int, _Score]:
        long = [word for word in self.heard(" ".join(words)) if len(word) > 2]
        return {entry: _Score(1, -rank) for entry, rank in self._match(long, " OR ", "")}

    def _match(self, words: Sequence[str], joined: str, column: str) -> list[tuple[int, float]]:
        if not words:
            return []
        query = joined.join(f'"{word}"*' for word in words)
        if column:
            query = f"{{{column}}} : ({query})"
        return self.rows(
            "SELECT rowid, bm25(document, 4.0, 2.0, 1.0, 1.0) AS rank FROM document"
            " WHERE document MATCH ? ORDER BY rank LIMIT ?",
            (query, _CANDIDATES),
        )

    def corrected(self, text: str) -> str:
        """The text as it may have been meant; empty when nothing better is known.

        Words that nobody wrote are replaced first; when all are known, one is (brian, brain).
        """
        words = fold(text).split()[:MOST_WORDS]
        better = [word if self._occurs(word) else (self._near(word) or [word])[0] for word in words]
        if better != words:
            return " ".join(better)
        for place, word in enumerate(words if len(words) > 1 else []):
            for other in self._near(word)[:_TRIES]:
                meant = [*words[:place], other, *words[place + 1 :]]
                if self._match(meant, " AND ", "names"):
                    return " ".join(meant)
        return ""

    def _occurs(self, word: str) -> bool:
        found = self.rows("SELECT 1 FROM document WHERE document MATCH ? LIMIT 1", (f'"{word}"*',))
        return bool(found)

    def _near(self, word: str) -> list[str]:
        """Known words within the word's tolerance: the nearest first, then the most frequent."""
        most = tolerance(word)
        if not most:
            return []
        pieces = " OR ".join(f'"{word[i : i + 3]}"' for i in range(len(word) - 2))
        near = self.rows(
            "SELECT word, times FROM spelling WHERE spelling MATCH ? ORDER BY rank LIMIT 200",
            (pieces,),
        )
        ranked = sorted((distance(word, known, most), -times, known) for known, times in near)
        return [known for far, _, known in ranked if 0 < far <= most]

    def _page(
        self,
        scores: Mapping[int, _Score],
        kinds: Sequence[str],
        limit: int,
        offset: int,
        instead: str,
    ) -> Found:
        entries = self._entries(scores)
        counts: dict[str, int] = {}
        for _, kind, *_ in entries.values():
            counts[kind] = counts.get(kind, 0) + 1
        ranked = sorted(
            (number for number, row in entries.items() if not kinds or row[1] in kinds),
            key=lambda number: self._order(scores[number], entries[number]),
        )
        shown = ranked[offset : offset + limit]
        labels = self.known(entries[number][0] for number in shown)
        texts = self._texts(shown)
        hits = tuple(
            Hit(
                iri=entries[number][0],
                label=labels[entries[number][0]].label,
                kind=entries[number][1],
                matched=scores[number].text,
                sort=scores[number].sort,
                retired=bool(entries[number][4]),
                score=scores[number].tier * 25 + max(-24.0, min(0.0, scores[number].fine)),
                text=texts.get(number, ""),
            )
            for number in shown
        )
        return Found(hits, len(ranked), counts, instead, len(entries) >= _CANDIDATES)

    def _texts(self, numbers: Sequence[int]) -> dict[int, str]:
        """What is said of entries beside their names."""
        marks = ",".join("?" * len(numbers))
        return dict(
            self.rows(f"SELECT rowid, more FROM document WHERE rowid IN ({marks})", numbers)  # noqa: S608 - marks only
        )

    def _entries(self, numbers: Iterable[int]) -> dict[int, tuple[str, str, int, int, int]]:
        wanted = list(numbers)
        found: dict[int, tuple[str, str, int, int, int]] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            for number, *row in self.rows(
                f"SELECT id, iri, kind, place, weight, retired FROM entry WHERE id IN ({marks})",  # noqa: S608 - marks only
                part,
            ):
                found[number] = tuple(row)
        return found

    @staticmethod
    def _order(score: _Score, row: tuple[str, str, int, int, int]) -> tuple[object, ...]:
        """Retired last, then how well, then which kind, then how much is said of it."""
        iri, _, place, weight, retired = row
        # names that begin so, or have all words, are equals: concepts come before statements
        whole = round(score.fine) if score.tier in (1, 4) else 0
        return (retired, -score.tier, -whole, place, -weight, -score.fine, iri)


FILE_HINT = "search.sqlite"
