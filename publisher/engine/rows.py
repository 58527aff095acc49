"""Counts the rows of an answer as it passes, by the syntax of its format; exact for all of them."""

from __future__ import annotations

import re
from collections.abc import Callable

_JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_RESULT = b"<result>"


# lines that are no rows
HEADS = {"csv": 1, "tsv": 1}


def counter(format_name: str) -> Callable[[bytes], int]:
    """A function that takes the next piece and says how many rows have begun so far."""
    kinds: dict[str, Callable[[], Callable[[bytes], int]]] = {
        "json": _JsonRows,
        "xml": _XmlRows,
        "csv": _CsvRows,
        "tsv": _LineRows,
    }
    count, head = kinds.get(format_name, _LineRows)(), HEADS.get(format_name, 0)
    return lambda piece: count(piece) - head


class _LineRows:
    """TSV and N-Triples escape line breaks, so lines are rows (Turtle: about one per triple)."""

    def __init__(self) -> None:
        self.found = 0

    def __call__(self, piece: bytes) -> int:
        self.found += piece.count(b"\n")
        return self.found


class _CsvRows:
    """A line break inside quotes is not the end of a row; doubled quotes cancel out."""

    def __init__(self) -> None:
        self.found = 0
        self.quoted = False

    def __call__(self, piece: bytes) -> int:
        for part in piece.split(b'"'):
            if not self.quoted:
                self.found += part.count(b"\n")
            self.quoted = not self.quoted
        self.quoted = not self.quoted
        return self.found


class _XmlRows:
    """`<` is always escaped in content."""

    def __init__(self) -> None:
        self.found = 0
        self.tail = b""

    def __call__(self, piece: bytes) -> int:
        joined = self.tail + piece
        self.found += joined.count(_RESULT)
        self.tail = joined[-len(_RESULT) + 1 :]
        return self.found


class _JsonRows:
    """Without its texts, a row ends where an object closes before a comma or the list's end."""

    def __init__(self) -> None:
        self.found = 0
        self.rest = b""
        self.depth = 0

    def __call__(self, piece: bytes) -> int:
        bare = _JSON_TEXT.sub(b"", self.rest + piece)
        cut = bare.find(b'"')
        self.rest = b"" if cut < 0 else bare[cut:]
        for mark in re.findall(rb"[{}\[\]]", bare if cut < 0 else bare[:cut]):
            self.depth += 1 if mark in b"{[" else -1
            # {"results": {"bindings": [ {row} ]}}
            if mark == b"{" and self.depth == 4:
                self.found += 1
        return self.found
