"""The canonical form of a Turtle file.

- prefixes: those used, sorted, from the graph's prefix table;
- one block per subject, a blank line between; the file's main entity first, the others in the
  order in which people count (2 before 10), nodes without a name last;
- in a block: type, label, definition, then by name; **every fact is a whole line**: the predicate
  is repeated for each value and the closing dot has a line of its own;
- texts in one line, line breaks as \\n; numbers and truth values short where that is canonical;
- nothing that would be lost or renamed on the next write: no comments, no blank node labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyoxigraph as ox

from publisher.errors import TurtleForm
from publisher.names import Prefixes, natural
from publisher.turtle.literals import canonical
from publisher.turtle.reader import (
    RDF,
    XSD,
    Anonymous,
    Block,
    Collection,
    Fact,
    Node,
    Parsed,
    parse,
)

_FIRST = {
    RDF + "type": 0,
    "http://www.w3.org/2000/01/rdf-schema#label": 1,
    "http://www.w3.org/2004/02/skos/core#prefLabel": 2,
    "http://www.w3.org/2004/02/skos/core#definition": 3,
}
_INDENT = "    "


def format_text(text: str, *, prefixes: Prefixes, file: str = "text.ttl", stem: str = "") -> str:
    """The canonical form of `text`; raises TurtleSyntax or TurtleForm.

    `stem` is the file's name without its suffix: the subject whose local name it is (or starts
    with, up to the first hyphen) is the main entity and stands first.
    """
    parsed = parse(text, file=file, known=prefixes.namespaces)
    return write(parsed, prefixes=prefixes, file=file, stem=stem)


def write(parsed: Parsed, *, prefixes: Prefixes, file: str, stem: str = "") -> str:
    _refuse(parsed, file)
    writer = _Writer(prefixes)
    blocks = [
        writer.block(b) for b in sorted(_merge(parsed.blocks), key=lambda b: writer.rank(b, stem))
    ]
    heads = [f"@prefix {p}: <{prefixes.namespaces[p]}> ." for p in sorted(writer.terms.used)]
    head = ["\n".join(heads) + "\n"] if heads else []
    return "\n".join([*head, *blocks])


def _refuse(parsed: Parsed, file: str) -> None:
    if parsed.comments:
        raise TurtleForm(
            "is a comment, which the canonical form does not keep",
            file=file,
            line=parsed.comments[0],
            fix="say it with skos:editorialNote, or delete it",
        )
    if parsed.labels:
        raise TurtleForm(
            "is a blank node label, which does not survive a rewrite",
            file=file,
            line=parsed.labels[0],
            fix="give the node an IRI, or write it in place as [ ... ]",
        )


def _merge(blocks: Iterable[Block]) -> list[Block]:
    """One block per named subject."""
    named: dict[str, Block] = {}
    unnamed: list[Block] = []
    for block in blocks:
        if not isinstance(block.subject, ox.NamedNode):
            unnamed.append(block)
        elif block.subject.value in named:
            named[block.subject.value].facts.extend(block.facts)
        else:
            named[block.subject.value] = Block(block.subject, block.line, list(block.facts))
    return [*named.values(), *unnamed]


class Terms:
    """Writes names and values as Turtle does, and remembers which prefixes it used."""

    def __init__(self, prefixes: Prefixes) -> None:
        self.prefixes = prefixes
        self.used: set[str] = set()
        self.names: dict[str, str] = {}

    def predicate(self, node: ox.NamedNode) -> str:
        return "a" if node.value == RDF + "type" else self.iri(node.value)

    def node(self, node: object) -> str:
        if isinstance(node, ox.NamedNode):
            return self.iri(node.value)
        return self.literal(node) if isinstance(node, ox.Literal) else str(node)

    def iri(self, iri: str) -> str:
        found = self.names.get(iri)
        if found is None:
            found = self.names[iri] = self._iri(iri)
        return found

    def _iri(self, iri: str) -> str:
        curie = self.prefixes.compact(iri)
        if curie is None:
            return f"<{_escape_iri(iri)}>"
        self.used.add(curie.partition(":")[0])
        return curie

    def literal(self, literal: ox.Literal) -> str:
        short = _short(literal)
        if short is not None:
            return short
        if literal.language:
            return f"{quote(literal.value)}@{literal.language}"
        if literal.datatype.value == XSD + "string":
            return quote(literal.value)
        return f"{quote(literal.value)}^^{self.iri(literal.datatype.value)}"


class _Writer:
    """Writes blocks, one fact to a line."""

    def __init__(self, prefixes: Prefixes) -> None:
        self.prefixes = prefixes
        self.terms = Terms(prefixes)

    def rank(self, block: Block, stem: str) -> tuple[object, ...]:
        if not isinstance(block.subject, ox.NamedNode):
            return (
                2,
                natural("\n".join(self._node(block.subject, 0) + self._lines(block.facts, 1))),
            )
        shown = self.prefixes.show(block.subject.value)
        local = re.split(r"[/#:]", shown.strip("<>"))[-1]
        main = bool(stem) and local in (stem, stem.partition("-")[0])
        return (0 if main else 1, natural(shown))

    def block(self, block: Block) -> str:
        subject = self._node(block.subject, 0)
        return "\n".join([*subject, *self._lines(block.facts, 1), ".", ""])

    def _lines(self, facts: Iterable[Fact], depth: int) -> list[str]:
        written = {}
        for fact in facts:
            lines = self._node(fact.object, depth)
            key = (self._predicate_rank(fact.predicate.value), _object_rank(fact.object, lines))
            written[key] = [f"{self.terms.predicate(fact.predicate)} {lines[0]}", *lines[1:]]
        indent = _INDENT * depth
        return [
            line
            for _, (first, *rest) in sorted(written.items())
            for line in _ended([indent + first, *rest])
        ]

    def _predicate_rank(self, iri: str) -> tuple[int, str]:
        return (_FIRST.get(iri, 9), self.prefixes.show(iri))

    def _node(self, node: Node, depth: int) -> list[str]:
        """The node's lines; the first one stands behind its predicate and is not indented."""
        if isinstance(node, ox.NamedNode | ox.Literal):
            return [self.terms.node(node)]
        indent = _INDENT * depth
        if isinstance(node, Anonymous):
            inner = self._lines(node.facts, depth + 1)
            return ["[", *inner, indent + "]"] if inner else ["[]"]
        assert isinstance(node, Collection)
        items = [self._node(item, depth + 1) for item, _ in node.items]
        lines = [line for first, *rest in items for line in (indent + _INDENT + first, *rest)]
        return ["(", *lines, indent + ")"] if lines else ["()"]


def _ended(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1] + " ;"]


def _object_rank(node: Node, lines: list[str]) -> tuple[object, ...]:
    order = {ox.NamedNode: 0, ox.Literal: 1, Collection: 2, Anonymous: 3}
    language = (node.language or "") if isinstance(node, ox.Literal) else ""
    return (order.get(type(node), 4), language, natural("\n".join(lines)))


# The forms that Turtle writes without quotes. A decimal without a fraction is none of them: `4`
# would come back as an integer.
_SHORT = {XSD + "integer", XSD + "decimal", XSD + "double", XSD + "boolean"}


def _short(literal: ox.Literal) -> str | None:
    kind = literal.datatype.value
    if kind not in _SHORT or canonical(literal.value, kind) != literal.value:
        return None
    if kind == XSD + "decimal" and "." not in literal.value:
        return None
    if kind == XSD + "double" and "E" not in literal.value:
        return None
    return literal.value


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL = re.compile('[\\\\"\\x00-\\x1f\\x7f\\ufffe\\uffff\\u2028\\u2029\\x85]')


def quote(text: str) -> str:
    """The text in quotes, on one line."""
    return '"' + _SPECIAL.sub(lambda m: _ESCAPES.get(m[0]) or f"\\u{ord(m[0]):04X}", text) + '"'


def _escape_iri(iri: str) -> str:
    return re.sub(r'[\x00-\x20<>"{}|^`\\]', lambda m: f"\\u{ord(m[0]):04X}", iri)
