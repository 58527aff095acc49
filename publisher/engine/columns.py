"""Joins of triple patterns over columns of numbers, one pair of columns for each predicate.

A store walks its index once for each match of a pattern; here a step looks all of them up at once.
How many matches a step will have is known before they are made, so a question that would have too
many is left to the engine, and none can hold its process up. Answers are the engine's (a property
test compares them); where SPARQL or this code could differ from it, the engine is asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring as quoted

# nothing here multiplies matrices, and a process that will fork must have no threads
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from pyoxigraph import Literal, NamedNode, Quad, Triple

from publisher.engine.joins import Join, Test, is_variable
from publisher.engine.measures import NOTHING as NO_MEASURE
from publisher.engine.measures import NUMBER, measured
from publisher.engine.scan import (
    NOTHING,
    XSD_STRING,
    Term,
    Unanswerable,
    declared,
    json_of,
    resource,
)

MOST_MATCHES = 10_000  # of any step
MOST_WORK = 50_000  # matches made, counted, tested and ordered: some five milliseconds
MOST_VALUES = 6000  # written
MOST_BYTES = 2**22  # written
MOST_TEXTS = 4000  # put into their order
MOST_TOLD = 50_000  # terms whose JSON is kept
WIDE = 1000  # characters in a row that are too many to keep

Ids = NDArray[np.int32]
Frame = dict[str, Ids]  # by variable; all of one length


class Unbounded(Unanswerable):
    """A step has more matches than may be made here."""


@dataclass(frozen=True)
class Pairs:
    """The subjects and objects of one predicate, in the order of the one and of the other."""

    subjects: Ids
    objects: Ids
    by_object: Ids
    subjects_by_object: Ids
    functional: tuple[bool, bool]  # no subject has two objects; no object has two subjects

    def sorted_by(self, place: int) -> tuple[Ids, Ids]:
        """What is known in its order, and what belongs to it; place 0 is the subject's."""
        if place == 0:
            return self.subjects, self.objects
        return self.by_object, self.subjects_by_object


class Columns:
    """The triples of a graph. Memory: 16 bytes a triple, and its terms."""

    def __init__(self, quads: Iterable[Quad]) -> None:
        ids: dict[Term, int] = {}
        found: dict[int, tuple[list[int], list[int]]] = {}
        for quad in quads:
            subject = ids.setdefault(quad.subject, len(ids))
            value = ids.setdefault(quad.object, len(ids))
            predicate = ids.setdefault(quad.predicate, len(ids))
            subjects, objects = found.setdefault(predicate, ([], []))
            subjects.append(subject)
            objects.append(value)
        self.ids = ids
        self.terms: list[Term] = list(ids)
        odd = {number for term, number in ids.items() if _is_odd(term)}
        # of the few that have a term which is written otherwise, the engine is asked
        self.odd = {
            p for p, columns in found.items() if any(not odd.isdisjoint(c) for c in columns)
        }
        self.pairs = {p: _pairs(*columns) for p, columns in found.items()}
        measures = [
            measured(term.value, term.datatype.value)
            if isinstance(term, Literal)
            else (NO_MEASURE, 0)
            for term in self.terms
        ]
        self.kinds = np.array([kind for kind, _ in measures], dtype=np.int8)
        self.sizes = np.array([size for _, size in measures], dtype=np.float64)
        self.widths = np.array([len(_value(term)) for term in self.terms], dtype=np.int64)
        tags = [_language(term) for term in self.terms]
        self.tags: dict[str, int] = {tag: n for n, tag in enumerate(dict.fromkeys(tags))}
        self.languages = np.array([self.tags[tag] for tag in tags], dtype=np.int32)

    def answer(self, question: Join, prefixes: Mapping[str, str]) -> tuple[bytes, int] | None:
        """SPARQL results in JSON and how many rows; None where the engine must give them."""
        try:
            known = declared(question.prologue, prefixes)
            steps = [self._step(pattern, known) for pattern in question.patterns]
            work = _Work()
            frame = self._joined(steps, question.tests, known, work)
            rows = self._ordered(question, frame, work)
            if question.distinct:
                work.add(len(rows) * len(question.variables))
                rows = rows[_firsts([frame[name][rows] for name in question.variables])]
            end = None if question.limit < 0 else question.offset + question.limit
            rows = rows[question.offset : end]
            columns = [frame[name][rows].tolist() for name in question.variables]
            return self._written(question.variables, columns, work.width), len(rows)
        except Unanswerable:
            return None

    def _tell(self, number: int) -> str:
        """A term in JSON."""
        return json_of(self.terms[number])

    @lru_cache(maxsize=MOST_TOLD)  # noqa: B019 - one lives as long as its process
    def _told(self, number: int) -> str:
        """The same, kept: few terms are most of what is asked for."""
        return json_of(self.terms[number])

    # a pattern

    def _step(self, pattern: Sequence[str], prefixes: Mapping[str, str]) -> _Step:
        subject, verb, value = pattern
        predicate = self._id(verb, prefixes)
        if predicate in self.odd:
            raise Unanswerable
        ends = tuple(
            term[1:] if is_variable(term) else self._id(term, prefixes) for term in (subject, value)
        )
        return _Step(self.pairs.get(predicate, _NONE), (ends[0], ends[1]))

    def _id(self, text: str, prefixes: Mapping[str, str]) -> int:
        """The number of a term; -1 for one that the graph does not have."""
        if text[0] != '"':
            return self.ids.get(resource(text, prefixes), -1)
        value, _, language = text[1:].rpartition('"')
        if language != language.lower():
            raise Unanswerable
        try:
            term = Literal(value, language=language[1:]) if language else Literal(value)
        except ValueError:
            raise Unanswerable from None  # no tag; the engine tells so
        return self.ids.get(term, -1)

    # the join

    def _joined(
        self,
        steps: list[_Step],
        tests: Sequence[Test],
        prefixes: Mapping[str, str],
        work: _Work,
    ) -> Frame:
        """All solutions: at each step the pattern that has fewest matches with what is known."""
        frame: Frame = {}
        length = 1
        waiting = [(test, *_measure(test, prefixes)) for test in tests]
        while steps:
            step, near = _next(steps, frame)
            if step is None:
                work.add(length * len(near))
                step = min(near, key=lambda step: step.matches(frame))
            steps.remove(step)
            length = step.join(frame, length)
            work.add(length)
            for test in [test for test in waiting if test[0].variable in frame]:
                waiting.remove(test)
                work.add(length)
                kept = self._passes(*test, frame[test[0].variable])
                length = _keep(frame, kept, length)
        return frame

    # tests and order

    def _passes(self, test: Test, kind: int, size: float, ids: Ids) -> NDArray[np.bool_]:
        if test.tag:
            return self._speaks(test, ids)
        if (self.kinds[ids] != kind).any():
            raise Unanswerable  # comparing things of different kinds is the engine's affair
        passes: NDArray[np.bool_] = _SIGNS[test.sign](self.sizes[ids], size)
        return passes

    def _speaks(self, test: Test, ids: Ids) -> NDArray[np.bool_]:
        """LANG and langMatches (RFC 4647, basic filtering); false for what is no literal."""
        if test.sign == "=":
            wanted = [self.tags.get(test.tag, -1)]
        else:
            tag = test.tag.lower()
            wanted = [n for known, n in self.tags.items() if f"{known}-".startswith(f"{tag}-")]
        passes: NDArray[np.bool_] = np.isin(self.languages[ids], wanted)
        return passes

    def _ordered(self, question: Join, frame: Frame, work: _Work) -> NDArray[np.intp]:
        """The rows of a frame in the order that was asked for."""
        length = len(next(iter(frame.values()))) if frame else 0
        # whatever the offset, so that all pages of an answer come from here or none does
        shown = length if question.limit < 0 else min(length, question.limit)
        widths = (int(self.widths[frame[name]].max(initial=0)) for name in question.variables)
        work.width = sum(widths)
        if shown * len(question.variables) > MOST_VALUES or shown * work.width > MOST_BYTES:
            raise Unbounded
        if not question.order:
            return np.arange(length)
        keys = []
        for name, descends in question.order:
            key = self._key(frame[name], work)
            keys.append(-key if descends else key)
        # the last of lexsort's keys is the first to count; equals keep their places
        return np.lexsort(keys[::-1])

    def _key(self, ids: Ids, work: _Work) -> NDArray[np.float64]:
        """Numbers in the order of these terms; for terms of one kind only."""
        work.add(len(ids))
        kinds = self.kinds[ids]
        if len(ids) and kinds[0] != NO_MEASURE and (kinds == kinds[0]).all():
            sizes: NDArray[np.float64] = self.sizes[ids]
            return sizes
        known, places = np.unique(ids, return_inverse=True)
        work.sort(len(known), int(self.widths[known].max(initial=0)))
        terms = [self.terms[n] for n in known.tolist()]
        if len({_kind(term) for term in terms}) > 1:
            raise Unanswerable
        values = [_value(term) for term in terms]
        order = sorted(range(len(terms)), key=values.__getitem__)
        rank = np.empty(len(terms))
        rank[order] = np.arange(len(terms))
        ranked: NDArray[np.float64] = rank[places]
        return ranked

    # the answer

    def _written(self, names: Sequence[str], columns: Sequence[Sequence[int]], width: int) -> bytes:
        tell = self._told if width <= WIDE else self._tell
        told = [map(tell, column) for column in columns]
        row = "{" + ",".join(f"{quoted(name)}:%s" for name in names) + "}"
        rows = ",".join([row % terms for terms in zip(*told, strict=True)])
        return (NOTHING % (",".join(map(quoted, names)), rows)).encode()


class _Work:
    """What a question has cost so far; raises Unbounded rather than that it costs too much."""

    def __init__(self) -> None:
        self.matches = self.texts = 0
        self.width = 0  # most characters of a row

    def add(self, matches: int) -> None:
        """Rows that are made or looked at."""
        self.matches += matches
        if self.matches > MOST_WORK:
            raise Unbounded

    def sort(self, texts: int, width: int) -> None:
        """Texts that are put into their order."""
        self.texts += texts
        if self.texts > MOST_TEXTS or texts * width > MOST_BYTES:
            raise Unbounded


class _Step:
    """A pattern whose terms are numbers, or names of variables."""

    __slots__ = ("ends", "given", "pairs")

    def __init__(self, pairs: Pairs, ends: tuple[str | int, str | int]) -> None:
        self.pairs = pairs
        self.ends = ends
        self.given = isinstance(ends[0], int), isinstance(ends[1], int)

    def matches(self, frame: Frame) -> int:
        """How many rows there will be."""
        place = self._place(frame)
        if place is None:
            return len(self.pairs.subjects)
        begins, ends, _ = self._spans(place, frame)
        return int((ends - begins).sum())

    def join(self, frame: Frame, length: int) -> int:
        """Joins its matches to a frame; how many rows that has now."""
        if all(self.given):
            begins, ends, others = self._spans(0, frame)
            inside = others[begins[0] : ends[0]]
            there = _among(np.array([self.ends[1]], dtype=np.int32), inside)
            return _keep(frame, np.repeat(there, length), length)
        if all(known or end in frame for known, end in zip(self.given, self.ends, strict=True)):
            return self._narrow(frame, length)
        place = self._place(frame)
        if place is None:
            found = len(self.pairs.subjects) if length else 0
            if found > MOST_MATCHES:
                raise Unbounded
            frame[str(self.ends[0])] = self.pairs.subjects[:found]
            frame[str(self.ends[1])] = self.pairs.objects[:found]
            return found
        total, values = self._expand(place, frame)
        # a pattern with an end that is given begins a frame (`_next`), of one row or none
        frame[str(self.ends[1 - place])] = values if length else values[:0]
        return total if length else 0

    def _place(self, frame: Frame) -> int | None:
        """Which end is known."""
        for place in (0, 1):
            if self.given[place] or self.ends[place] in frame:
                return place
        return None

    def _spans(self, place: int, frame: Frame) -> tuple[NDArray[np.intp], NDArray[np.intp], Ids]:
        """Where the matches of each row begin and end, and what is found there."""
        known, others = self.pairs.sorted_by(place)
        end = self.ends[place]
        wanted = np.array([end], dtype=np.int32) if isinstance(end, int) else frame[end]
        return known.searchsorted(wanted), known.searchsorted(wanted, "right"), others

    def _expand(self, place: int, frame: Frame) -> tuple[int, Ids]:
        """A row for each match, and what it finds at the other end."""
        if self.pairs.functional[place] and (values := self._only(place, frame)) is not None:
            return len(values), values
        begins, ends, others = self._spans(place, frame)
        counts = ends - begins
        total = int(counts.sum())
        if total > MOST_MATCHES:
            raise Unbounded
        rows = np.repeat(np.arange(len(counts)), counts)
        firsts = np.repeat(begins - np.cumsum(counts) + counts, counts)
        for name, ids in frame.items():
            frame[name] = ids[rows]
        return total, others[firsts + np.arange(total)]

    def _only(self, place: int, frame: Frame) -> Ids | None:
        """The one match of each row; None when one has none."""
        known, others = self.pairs.sorted_by(place)
        end = self.ends[place]
        if isinstance(end, int) or not len(known):
            return None
        places = known.searchsorted(frame[end])
        if not len(places) or places.max() == len(known) or (known[places] != frame[end]).any():
            return None
        return others[places]

    def _narrow(self, frame: Frame, length: int) -> int:
        """Keeps the rows in which both ends belong together."""
        for place in (0, 1):
            if isinstance(self.ends[place], int):
                begins, ends, others = self._spans(place, frame)
                kept = _among(frame[str(self.ends[1 - place])], others[begins[0] : ends[0]])
                return _keep(frame, kept, length)
        total, values = self._expand(0, frame)
        return _keep(frame, values == frame[str(self.ends[1])], total)


def _next(steps: Sequence[_Step], frame: Frame) -> tuple[_Step | None, Sequence[_Step]]:
    """The pattern to join next, or those of which the one with fewest matches is.

    Without a look at them: one that only leaves rows out, or gives none a second match.
    """
    near = []
    for step in steps:
        (one, other), (first, second) = step.given, step.ends
        linked = first in frame, second in frame
        if (one or linked[0]) and (other or linked[1]):
            return step, ()
        if frame and not any(linked):
            continue
        if one or linked[0] or other or linked[1]:
            if step.pairs.functional[0 if one or linked[0] else 1]:
                return step, ()
            near.append(step)
    if not near and frame:
        raise Unanswerable  # everything with everything
    near = near or list(steps)
    return (near[0], ()) if len(near) == 1 else (None, near)


def _among(wanted: Ids, ordered: Ids) -> NDArray[np.bool_]:
    """Which of these are in an ordered list."""
    if not len(ordered):
        return np.zeros(len(wanted), dtype=np.bool_)
    places = ordered.searchsorted(wanted)
    found: NDArray[np.bool_] = ordered[np.minimum(places, len(ordered) - 1)] == wanted
    return found


def _firsts(columns: Sequence[Ids]) -> NDArray[np.intp]:
    """The places of the rows that are like none before them."""
    code = columns[0].astype(np.int64)
    for column in columns[1:]:
        # fewer codes than rows, fewer ids than terms: their product fits
        code = np.unique(code, return_inverse=True)[1] * np.int64(2**31) + column
    return np.sort(np.unique(code, return_index=True)[1])


def _keep(frame: Frame, kept: NDArray[np.bool_], length: int) -> int:
    """Leaves the other rows out; how many there are now."""
    left = int(np.count_nonzero(kept))
    if left < length:
        for name, ids in frame.items():
            frame[name] = ids[kept]
    return left


_EMPTY: Ids = np.empty(0, dtype=np.int32)
_NONE = Pairs(_EMPTY, _EMPTY, _EMPTY, _EMPTY, (True, True))
_SIGNS = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "=": np.equal,
    "!=": np.not_equal,
}


def _pairs(subjects: Sequence[int], objects: Sequence[int]) -> Pairs:
    s, o = np.array(subjects, dtype=np.int32), np.array(objects, dtype=np.int32)
    one, other = np.lexsort((o, s)), np.lexsort((s, o))
    functional = _differ(s[one]), _differ(o[other])
    return Pairs(s[one], o[one], o[other], s[other], functional)


def _differ(ordered: Ids) -> bool:
    return bool((ordered[1:] != ordered[:-1]).all())


def _measure(test: Test, prefixes: Mapping[str, str]) -> tuple[int, float]:
    """The kind and size of what a variable is compared with."""
    if not test.datatype:
        return NUMBER, float(test.value or 0)
    kind, size = measured(test.value, resource(test.datatype, prefixes).value)
    if kind == NO_MEASURE:
        raise Unanswerable
    return kind, size


def _is_odd(term: Term) -> bool:
    """Whether the engine writes this term in a way of its own."""
    try:
        json_of(term)
    except Unanswerable:
        return True
    return False


def _language(term: Term) -> str:
    """The language of a literal, empty without one; a mark that is no tag for other terms."""
    return (term.language or "") if isinstance(term, Literal) else "-"


def _kind(term: Term) -> str:
    """Terms of one kind have an order that nobody doubts."""
    if isinstance(term, NamedNode):
        return "iri"
    if isinstance(term, Literal):
        if term.language is not None:
            return f"@{term.language}"
        if term.datatype.value == XSD_STRING:
            return "text"
    raise Unanswerable


def _value(term: Term) -> str:
    return "" if isinstance(term, Triple) else term.value
