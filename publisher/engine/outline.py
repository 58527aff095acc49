"""What a query's text says before any parser sees it: form, datasets, SERVICE, updates.

A linear scan without recursion or backtracking, so that no text can hurt the process that does it.
It is not a parser: a text that is not SPARQL gets some outline, and its syntax error from a worker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urljoin

from publisher.engine import simple

UPDATES = frozenset(
    ["INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH"]
)
FORMS = frozenset({"SELECT", "ASK", "CONSTRUCT", "DESCRIBE"})
SHORT = 4096  # characters of a query whose outline is worth remembering
# the same query gives another answer next time
VOLATILE = frozenset(["NOW", "RAND", "UUID", "STRUUID", "BNODE"])

# Every quantifier is possessive (++, *+): nothing is ever tried twice. The prefix of a name takes
# its dots with it (`a.b.c`), or a long chain of them would be read again from every dot.
TOKEN = re.compile(
    r"""
    (?P<space>(?:[\x20\t\r\n]++|\#[^\r\n]*+)++)
  | (?P<iri><[^\x00-\x20<>"{}|^`]*+>)
  | (?P<text>\"{3}(?:\\.|\"{1,2}(?!\")|[^"\\])*+\"{3} | '{3}(?:\\.|'{1,2}(?!')|[^'\\])*+'{3}
      | "(?:\\.|[^"\\\r\n])*+" | '(?:\\.|[^'\\\r\n])*+')
  | (?P<variable>[?$][^\W]++)
  | (?P<language>@[a-zA-Z]++(?:-[a-zA-Z0-9]++)*+)
  | (?P<number>[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)
  | (?P<name>_?:[\w.%\\:-]*+
      | [^\W\d](?:[\w-]|\.(?=[\w:-]))*+(?::(?:[\w%:-]|\\.|\.(?=[\w%:-]))*+)?+)
  | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_IRI = r"<[^\x00-\x20<>\"{}|^`\\]*+>"
_BEGINNING = re.compile(
    rf"(?:\s|PREFIX\s++(?:[A-Za-z][\w-]*+)?+:\s*+{_IRI}|BASE\s++{_IRI})*+"
    r"(SELECT|ASK|CONSTRUCT|DESCRIBE)\b(?!:)",
    re.IGNORECASE,
)
# without these words, a query that begins well asks no service, names no graph, and is not volatile
_MATTERS = ("SERVICE", "FROM", "GRAPH", "\\U", *VOLATILE)
_LOCAL = re.compile(r"\\(.)")  # a mark in the local part of a name
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
BASE = "BASE"
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_WORD = re.compile(r"[A-Za-z]+")

Token = tuple[str, str]


@dataclass(frozen=True)
class Outline:
    """`form` is empty for what is neither a query nor an update; IRIs are as written.

    `prologue` has a pair for each PREFIX (its name with the colon) and BASE, in their order.
    """

    form: str
    update: str
    services: tuple[str, ...]
    default_sources: tuple[str, ...]
    named_sources: tuple[str, ...]
    words: frozenset[str]
    lost_variable: str
    prologue: tuple[tuple[str, str], ...] = ()

    def meant(self, source: str, base: str, prefixes: Mapping[str, str]) -> str | None:
        """The IRI that the name of a graph stands for; None when nobody declared its prefix.

        `base` and `prefixes` (namespaces by prefix) are those that hold before the prologue.
        """
        known = dict(prefixes)
        for name, iri in self.prologue:
            if name == BASE:
                base = _absolute(iri, base)
            else:
                known[name[:-1]] = _absolute(iri, base)
        if source.startswith("<"):
            return _absolute(source, base)
        prefix, _, local = source.partition(":")
        return known[prefix] + _LOCAL.sub(r"\1", local) if prefix in known else None

    @property
    def volatile(self) -> bool:
        """Whether asking again may give another answer from the same release."""
        return bool(self.words & VOLATILE)


def tokens(query: str) -> Iterator[Token]:
    """The tokens of a query, without white space and comments; keywords are kind `name`."""
    for match in TOKEN.finditer(_unescaped(query)):
        kind = match.lastgroup
        if kind != "space" and kind is not None:
            yield kind, match.group()


def read(query: str) -> Outline:
    """The outline of a query; those of short ones are remembered, so that memory is bounded."""
    known = simple.read(query)
    plain = form(query) if known is None else known.form
    if plain:
        return _PLAIN[plain]
    return _remembered(query) if len(query) <= SHORT else _read(query)


def form(query: str) -> str:
    """The form of a query whose text shows that nothing else of its outline matters; else empty."""
    found = _BEGINNING.match(query)
    if found is None:
        return ""
    text = query.upper()
    return "" if any(word in text for word in _MATTERS) else found[1].upper()


@lru_cache(maxsize=2048)
def _remembered(query: str) -> Outline:
    return _read(query)


def _read(query: str) -> Outline:
    reader = _Reader()
    for kind, text in tokens(query):
        reader.take(kind, text)
    return reader.outline()


def _unescaped(query: str) -> str:
    r"""SPARQL reads `SERV\u0049CE` as SERVICE, so we must too."""
    if "\\u" not in query and "\\U" not in query:
        return query
    return _ESCAPE.sub(_character, query)


def _character(match: re.Match[str]) -> str:
    code = int(match.group(1) or match.group(2), 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else match.group()


def _absolute(written: str, base: str) -> str:
    """An IRI in its brackets, resolved; one that has a scheme stays as it is."""
    iri = written[1:-1]
    if _SCHEME.match(iri):
        return iri
    # urljoin takes an empty fragment for none
    return urljoin(base, iri) + "#" * (iri[-1:] == "#")


_PLAIN = {form: Outline(form, "", (), (), (), frozenset((form,)), "") for form in FORMS}


class _Reader:
    """Takes one token after the other; every step is constant work."""

    def __init__(self) -> None:
        self.form = self.update = self.lost = ""
        self.services: list[str] = []
        self.default_sources: list[str] = []
        self.named_sources: list[str] = []
        self.prologue: list[tuple[str, str]] = []
        self.words: set[str] = set()
        self.open = 0
        self.graphs: list[tuple[int, str]] = []  # GRAPH ?g { ... } that we are inside of
        self.projected: set[str] | None = None  # of a sub-SELECT that is being read
        self.last: Token = ("", "")
        self.waiting = ""  # SERVICE, FROM, GRAPH, BASE or PREFIX that still wants its name
        self.prefix = ""  # that still wants its namespace

    def take(self, kind: str, text: str) -> None:
        if kind == "name" and ":" not in text:
            for word in _WORD.findall(text) if "." in text or "-" in text else (text,):
                self._keyword(word.upper())
        elif kind == "mark":
            self._mark(text)
        elif kind in ("iri", "name", "variable"):
            self._named(kind, text)
        self.last = (kind, text)

    def _keyword(self, word: str) -> None:
        self.words.add(word)
        if not self.form and not self.update:
            if word in FORMS:
                self.form = word
            elif word in UPDATES:
                self.update = word
        elif word == "SELECT" and self.graphs:
            self.projected = set()
        elif word == "WHERE":
            self._end_projection()
        if word == "SILENT" and self.waiting == "SERVICE":
            return
        if word == "NAMED" and self.waiting == "FROM":
            self.waiting = "FROM NAMED"
            return
        ahead = () if self.form or self.update else (BASE, "PREFIX")
        self.waiting = word if word in ("SERVICE", "FROM", "GRAPH", *ahead) else ""

    def _named(self, kind: str, text: str) -> None:
        if self.waiting == "SERVICE":
            self.services.append(text)
        elif self.waiting == "FROM" and kind != "variable":
            self.default_sources.append(text)
        elif self.waiting == "FROM NAMED" and kind != "variable":
            self.named_sources.append(text)
        elif self.waiting == BASE and kind == "iri":
            self.prologue.append((BASE, text))
        elif self.waiting == "PREFIX" and kind == "name":
            self.prefix = text
            return
        elif self.waiting == "PREFIX" and kind == "iri":
            self.prologue.append((self.prefix, text))
        if kind == "variable" and self.projected is not None:
            self.projected.add(text[1:])
        if not (self.waiting == "GRAPH" and kind == "variable"):
            self.waiting = ""

    def _mark(self, text: str) -> None:
        if text == "{":
            self._end_projection()
            self.open += 1
            if self.waiting == "GRAPH" and self.last[0] == "variable":
                self.graphs.append((self.open, self.last[1][1:]))
        elif text == "}":
            if self.graphs and self.graphs[-1][0] == self.open:
                self.graphs.pop()
            self.open = max(0, self.open - 1)
        elif text in "([":
            self.open += 1
        elif text in ")]":
            self.open = max(0, self.open - 1)
        self.waiting = ""

    def _end_projection(self) -> None:
        if self.projected is not None and self.graphs:
            self.lost = self.lost or (
                "" if self.graphs[-1][1] in self.projected else self.graphs[-1][1]
            )
        self.projected = None

    def outline(self) -> Outline:
        return Outline(
            form=self.form,
            update=self.update,
            services=tuple(self.services),
            default_sources=tuple(self.default_sources),
            named_sources=tuple(self.named_sources),
            words=frozenset(self.words),
            lost_variable=self.lost,
            prologue=tuple(self.prologue),
        )
