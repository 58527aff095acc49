"""Reads Turtle into blocks (subject, predicate, object, each with its line) and into triples."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

import pyoxigraph as ox

from publisher.errors import TurtleSyntax
from publisher.turtle.tokens import Token, cut

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPE = ox.NamedNode(RDF + "type")
_FIRST, _REST, _NIL = (ox.NamedNode(RDF + name) for name in ("first", "rest", "nil"))

# Nobody writes this deep by hand; a file that does would exhaust the stack.
DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Located:
    """A triple and the line on which its object starts."""

    triple: ox.Triple
    line: int


@dataclass(slots=True)
class Anonymous:
    """`[ ... ]`: a node that has no name, and what is said of it."""

    facts: list[Fact] = field(default_factory=list)


@dataclass(slots=True)
class Collection:
    """`( ... )`: an ordered list."""

    items: list[tuple[Node, int]] = field(default_factory=list)


Node = ox.NamedNode | ox.Literal | ox.BlankNode | Anonymous | Collection


@dataclass(slots=True)
class Fact:
    """One predicate with one object; `line` is the object's."""

    predicate: ox.NamedNode
    object: Node
    line: int


@dataclass(slots=True)
class Block:
    """Everything said of one subject in one statement of the file."""

    subject: Node
    line: int
    facts: list[Fact]


@dataclass(slots=True)
class Parsed:
    """A file as it was written; `comments` and `labels` are the lines that carry them."""

    blocks: list[Block]
    comments: list[int]
    labels: list[int]


def read(text: str, *, file: str, base: str | None = None) -> list[Located]:
    """Every triple with the line where its object stands, in the order of the file.

    Literals stay as written. Raises TurtleSyntax.
    """
    parsed = parse(text, file=file, base=base)
    return list(triples(parsed.blocks, scope=re.sub(r"[^A-Za-z0-9]+", "-", file).strip("-")))


def parse(text: str, *, file: str, base: str | None = None, known: Iterable[str] = ()) -> Parsed:
    """The text as blocks. `known` are prefixes to suggest for an undeclared one."""
    _judge(text, file=file, base=base, known=known)
    return _Reader(text, file, base).document()


def triples(blocks: Iterable[Block], *, scope: str) -> Iterator[Located]:
    """The triples of the blocks; unnamed nodes get names from `scope` and their order."""
    return _Namer(scope).blocks(blocks)


# --- is it Turtle? -----------------------------------------------------------------------------

_FIXES = (
    ("dot is expected", "end the statement before it with ` ;` or ` .`"),
    ("Unexpected end", "a closing quote, bracket or ` .` is missing before the end of the file"),
    ("is not a valid predicate", "a predicate is a name such as rdfs:label, or `a`"),
    ("is not a valid object", "an object is a name, a text in quotes, or a number"),
    ("Invalid IRI", "an IRI has no spaces, quotes or angle brackets inside"),
    ("No scheme", "write the whole IRI, or a prefixed name without angle brackets"),
    ("Line jumps", 'write a line break inside "..." as \\n'),
    ("language tag", "a language tag looks like @en or @en-gb"),
)


def _judge(text: str, *, file: str, base: str | None, known: Iterable[str]) -> None:
    _refuse_depth(text, file)
    try:
        for _ in ox.parse(text.encode(), ox.RdfFormat.TURTLE, base_iri=base):
            pass
    except SyntaxError as error:
        what = re.sub(r"^Parser error (?:at|between) line [^:]*: ", "", str(error.msg))
        raise TurtleSyntax(
            what,
            file=file,
            line=error.lineno or 0,
            column=error.offset or 0,
            fix=_fix(what, known),
        ) from error


def _refuse_depth(text: str, file: str) -> None:
    if text.count("[") + text.count("(") <= DEEPEST:
        return
    depth = 0
    for token in cut(text):
        depth += (token.text in ("[", "(")) - (token.text in ("]", ")"))
        if depth > DEEPEST:
            raise TurtleSyntax(
                f"brackets are nested more than {DEEPEST} deep",
                file=file,
                line=token.line,
                fix="give the inner nodes names of their own",
            )


def _fix(what: str, known: Iterable[str]) -> str:
    undeclared = re.search(r"prefix (\S*): has not been declared", what)
    if undeclared:
        prefix, prefixes = undeclared[1], list(known)
        near = difflib.get_close_matches(prefix, prefixes, n=1)
        if prefix in prefixes or not near:
            return f"add a line `@prefix {prefix}: <...> .` at the top"
        return f"did you mean {near[0]}: ?"
    return next((fix for sign, fix in _FIXES if sign.lower() in what.lower()), "")


# --- what does it say, and where? --------------------------------------------------------------


class _Reader:
    """Goes once over the tokens. Positions are all it adds to what the judge has accepted."""

    def __init__(self, text: str, file: str, base: str | None) -> None:
        self.tokens = cut(text)
        self.file = file
        self.base = base
        self.prefixes: dict[str, str] = {}
        self.names: dict[str, ox.NamedNode] = {}
        self.parsed = Parsed([], [], [])
        self.token = self._next()

    def document(self) -> Parsed:
        while self.token.kind != "end":
            if self.token.kind == "directive" or self.token.text.upper() in ("PREFIX", "BASE"):
                self._directive()
            else:
                self._statement()
        return self.parsed

    def _next(self) -> Token:
        for token in self.tokens:
            if token.kind != "comment":
                return token
            self.parsed.comments.append(token.line)
        return Token("end", "", 0)

    def _take(self) -> Token:
        taken, self.token = self.token, self._next()
        return taken

    def _skip(self, mark: str) -> bool:
        if self.token.kind == "mark" and self.token.text == mark:
            self.token = self._next()
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._skip(mark):
            raise self._lost()

    def _lost(self) -> TurtleSyntax:
        return TurtleSyntax(
            f"cannot be read at {self.token.text!r}", file=self.file, line=self.token.line
        )

    def _directive(self) -> None:
        word = self._take().text
        if word.lower().lstrip("@") == "prefix":
            prefix = self._take().text.removesuffix(":")
            self.prefixes[prefix] = self._resolve(self._take().text)
            self.names.clear()
        else:
            self.base = self._resolve(self._take().text)
        if word.startswith("@"):
            self._expect(".")

    def _statement(self) -> None:
        line = self.token.line
        subject = self._node()
        facts = [] if self.token.text == "." else self._facts()
        self._expect(".")
        self.parsed.blocks.append(Block(subject, line, facts))

    def _facts(self) -> list[Fact]:
        facts: list[Fact] = []
        while True:
            predicate = self._predicate()
            while True:
                line = self.token.line
                facts.append(Fact(predicate, self._node(), line))
                if not self._skip(","):
                    break
            if not self._skip(";"):
                return facts
            while self._skip(";"):
                pass
            if self.token.kind == "mark":
                return facts

    def _predicate(self) -> ox.NamedNode:
        if self.token.kind == "word" and self.token.text == "a":
            self._take()
            return _TYPE
        return self._iri(self._take())

    def _node(self) -> Node:
        token = self._take()
        if token.kind in ("name", "iri"):
            return self._iri(token)
        if token.kind == "string":
            return self._literal(token)
        if token.kind == "number":
            return ox.Literal(token.text, datatype=_number_type(token.text))
        if token.kind == "word":
            return ox.Literal(token.text, datatype=ox.NamedNode(XSD + "boolean"))
        if token.kind == "blank":
            self.parsed.labels.append(token.line)
            return ox.BlankNode(token.text[2:])
        if token.text == "[":
            return self._anonymous()
        if token.text == "(":
            return self._collection()
        raise self._lost()

    def _anonymous(self) -> Anonymous:
        node = Anonymous() if self.token.text == "]" else Anonymous(self._facts())
        self._expect("]")
        return node

    def _collection(self) -> Collection:
        node = Collection()
        while not self._skip(")"):
            line = self.token.line
            node.items.append((self._node(), line))
        return node

    def _literal(self, token: Token) -> ox.Literal:
        width = 3 if token.text.startswith(('"""', "'''")) else 1
        value = _unescape(token.text[width:-width])
        if self.token.kind == "language":
            return ox.Literal(value, language=self._take().text[1:].lower())
        if self.token.kind == "datatype":
            self._take()
            return ox.Literal(value, datatype=self._iri(self._take()))
        return ox.Literal(value)

    def _iri(self, token: Token) -> ox.NamedNode:
        found = self.names.get(token.text)
        if found is None:
            found = self.names[token.text] = ox.NamedNode(self._full(token))
        return found

    def _full(self, token: Token) -> str:
        if token.kind == "iri":
            return self._resolve(token.text)
        if token.kind != "name":
            raise self._lost()
        prefix, _, local = token.text.partition(":")
        return self.prefixes[prefix] + re.sub(r"\\(.)", r"\1", local)

    def _resolve(self, text: str) -> str:
        iri = _unescape(text[1:-1])
        if self.base is None or _ABSOLUTE.match(iri):
            return iri
        # urljoin loses an empty fragment, with which many namespaces end
        return urljoin(self.base, iri) + ("#" if iri.endswith("#") else "")


_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def _number_type(text: str) -> ox.NamedNode:
    if "e" in text or "E" in text:
        return ox.NamedNode(XSD + "double")
    return ox.NamedNode(XSD + ("decimal" if "." in text else "integer"))


_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_LETTERS = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if len(code) > 1 else _LETTERS.get(code, code)


class _Namer:
    """Turns blocks into triples and names what has no name: same file, same names."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.count = 0
        self.labels: dict[str, ox.BlankNode] = {}

    def blocks(self, blocks: Iterable[Block]) -> Iterator[Located]:
        for block in blocks:
            said: list[Located] = []
            subject = self._term(block.subject, block.line, said)
            assert not isinstance(subject, ox.Literal)
            yield from said
            yield from self._facts(subject, block.facts)

    def _facts(
        self, subject: ox.NamedNode | ox.BlankNode, facts: Iterable[Fact]
    ) -> Iterator[Located]:
        for fact in facts:
            inner: list[Located] = []
            value = self._term(fact.object, fact.line, inner)
            yield Located(ox.Triple(subject, fact.predicate, value), fact.line)
            yield from inner

    def _term(
        self, node: Node, line: int, said: list[Located]
    ) -> ox.NamedNode | ox.Literal | ox.BlankNode:
        if isinstance(node, Anonymous):
            fresh = self._fresh()
            said.extend(self._facts(fresh, node.facts))
            return fresh
        if isinstance(node, Collection):
            return self._list(node, line, said)
        if isinstance(node, ox.BlankNode):
            if node.value not in self.labels:
                self.labels[node.value] = self._fresh()
            return self.labels[node.value]
        return node

    def _list(
        self, node: Collection, line: int, said: list[Located]
    ) -> ox.NamedNode | ox.BlankNode:
        if not node.items:
            return _NIL
        cells = [self._fresh() for _ in node.items]
        rests: list[ox.NamedNode | ox.BlankNode] = [*cells[1:], _NIL]
        for cell, rest, (item, at) in zip(cells, rests, node.items, strict=True):
            inner: list[Located] = []
            said.append(Located(ox.Triple(cell, _FIRST, self._term(item, at, inner)), at))
            said.extend(inner)
            said.append(Located(ox.Triple(cell, _REST, rest), line))
        return cells[0]

    def _fresh(self) -> ox.BlankNode:
        self.count += 1
        return ox.BlankNode(f"{self.scope}-{self.count}")
