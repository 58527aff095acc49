"""What the shapes ask, in words: SHACL's graph -> plain values that a page can show.

Every parameter of SHACL core has its phrase here; one that has none is shown as it is written.
Section numbers are those of https://www.w3.org/TR/shacl/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

SH = "http://www.w3.org/ns/shacl#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
DEEPEST = 20  # shapes inside shapes; a circle of unnamed ones has no end

Node = NamedNode | BlankNode | Literal | Triple
Subject = NamedNode | BlankNode


@dataclass(frozen=True)
class Part:
    """A piece of a sentence: words, or a name that a page can make a link of."""

    text: str = ""
    iri: str = ""
    code: bool = False


Words = tuple[Part, ...]


@dataclass(frozen=True)
class Shape:
    """One shape: what it is aimed at, what it asks of a node, and the rules on its properties.

    `path` is empty for a node shape; `iri` for one that has no name.
    """

    iri: str
    label: str
    about: str
    targets: tuple[tuple[str, str], ...]  # how it is aimed ("class"), and at what (an IRI)
    path: Words
    asks: tuple[Words, ...]
    messages: tuple[str, ...]
    severity: str  # the local name: Violation, Warning, Info
    properties: tuple[Shape, ...] = ()
    off: bool = False
    queries: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """All shapes of a release, and the statements that they were read from."""

    shapes: Mapping[str, Shape]
    triples: tuple[Triple, ...] = field(repr=False, default=())

    @cached_property
    def aimed(self) -> tuple[Shape, ...]:
        """Shapes with a target, by name."""
        return tuple(s for s in self.shapes.values() if s.targets)

    @cached_property
    def helpers(self) -> tuple[Shape, ...]:
        """Node shapes that only other shapes use."""
        return tuple(s for s in self.shapes.values() if not s.targets and not s.path)

    @property
    def rules(self) -> int:
        """How many property shapes the aimed shapes have."""
        return sum(len(shape.properties) for shape in self.aimed)


def read(triples: Iterable[Triple]) -> Catalogue:
    """The catalogue of a shapes graph."""
    return _Reader(tuple(triples)).catalogue()


class _Reader:
    def __init__(self, triples: tuple[Triple, ...]) -> None:
        self.triples = triples
        self.said: dict[Node, dict[str, list[Node]]] = {}
        self.users: dict[Node, set[Node]] = {}
        for triple in triples:
            own = self.said.setdefault(triple.subject, {})
            own.setdefault(triple.predicate.value, []).append(triple.object)
            if not isinstance(triple.object, Literal):
                self.users.setdefault(triple.object, set()).add(triple.subject)

    def catalogue(self) -> Catalogue:
        named = [n for n in self.said if isinstance(n, NamedNode) and self._is_shape(n)]
        ordered = sorted(named, key=lambda node: node.value)
        return Catalogue({n.value: self._shape(n, 0) for n in ordered}, self.triples)

    def _is_shape(self, node: Node) -> bool:
        """Section 2.1: typed as one, aimed at something, or used as one by another."""
        types = {t.value for t in self.said[node].get(RDF + "type", []) if isinstance(t, NamedNode)}
        if types & {SH + "NodeShape", SH + "PropertyShape"}:
            return True
        return any(p.startswith(SH + "target") or p == SH + "path" for p in self.said[node])

    # looking things up

    def values(self, node: Node, name: str) -> list[Node]:
        """The values of one of SHACL's properties, in a fixed order."""
        return sorted(self.said.get(node, {}).get(_full(name), []), key=str)

    def first(self, node: Node, name: str) -> Node | None:
        found = self.values(node, name)
        return found[0] if found else None

    def text(self, node: Node, *names: str) -> str:
        for name in names:
            found = [v.value for v in self.values(node, name) if isinstance(v, Literal)]
            if found:
                return found[0]
        return ""

    def items(self, head: Node | None) -> list[Node]:
        """The members of a list; one that does not end is cut."""
        found: list[Node] = []
        while head is not None and head != NamedNode(RDF + "nil") and len(found) < 1000:
            first = self.first(head, RDF + "first")
            if first is None:
                break
            found.append(first)
            head = self.first(head, RDF + "rest")
        return found

    # shapes

    def _shape(self, node: Node, depth: int) -> Shape:
        path = self.first(node, "path")
        severity = self.first(node, "severity")
        inner = self.values(node, "property") if depth < DEEPEST else []
        iri = node.value if isinstance(node, NamedNode) else ""
        properties = [self._shape(one, depth + 1) for one in inner]
        return Shape(
            iri=iri,
            label=self.text(node, "name", RDFS + "label") or _local(iri),
            about=self.text(node, "description", RDFS + "comment"),
            targets=tuple(self._targets(node)),
            path=self.path(path) if path is not None else (),
            asks=tuple(self.asks(node, depth)),
            messages=tuple(v.value for v in self.values(node, "message") if isinstance(v, Literal)),
            severity=_local(severity.value) if isinstance(severity, NamedNode) else "Violation",
            properties=tuple(sorted(properties, key=lambda s: plain(s.path))),
            off=self.text(node, "deactivated") in ("true", "1"),
            queries=tuple(self._queries(node)),
            used_by=tuple(sorted(self._users(node))),
        )

    def _targets(self, node: Node) -> Iterator[tuple[str, str]]:
        """Section 2.1.3; a class that is a shape is aimed at its own instances."""
        kinds = {
            "targetClass": "class",
            "targetNode": "node",
            "targetSubjectsOf": "subjects of",
            "targetObjectsOf": "objects of",
        }
        for name, kind in kinds.items():
            for value in self.values(node, name):
                yield kind, value.value if not isinstance(value, Triple) else str(value)
        types = {t.value for t in self.values(node, RDF + "type") if isinstance(t, NamedNode)}
        if types & {RDFS + "Class", OWL + "Class"} and isinstance(node, NamedNode):
            yield "class", node.value
        for _ in self.values(node, "target"):
            yield "query", ""

    def _users(self, node: Node) -> set[str]:
        """The named shapes that use this one, directly or from inside an unnamed one."""
        found: set[str] = set()
        seen, ahead = {node}, [node]
        while ahead:
            for user in self.users.get(ahead.pop(), ()):
                if isinstance(user, NamedNode):
                    found.add(user.value)
                elif user not in seen:
                    seen.add(user)
                    ahead.append(user)
        return found - ({node.value} if isinstance(node, NamedNode) else set())

    def _queries(self, node: Node) -> Iterator[str]:
        for rule in self.values(node, "sparql"):
            text = self.text(rule, "select", "ask")
            if text:
                yield text

    # words

    def path(self, node: Node, depth: int = 0) -> Words:
        """Section 2.3.1."""
        if isinstance(node, NamedNode):
            return (Part(iri=node.value),)
        if depth > DEEPEST or not isinstance(node, BlankNode):
            return (Part(str(node), code=True),)
        steps = self.items(node)
        if steps:
            return _joined([self.path(step, depth + 1) for step in steps], " / ")
        for name, before, after in (
            ("inversePath", "inverse of ", ""),
            ("zeroOrMorePath", "any number of ", ""),
            ("oneOrMorePath", "one or more of ", ""),
            ("zeroOrOnePath", "", ", if any"),
        ):
            value = self.first(node, name)
            if value is not None:
                return (*_said(before), *self.path(value, depth + 1), *_said(after))
        choices = self.items(self.first(node, "alternativePath"))
        return _joined([self.path(choice, depth + 1) for choice in choices], " or ")

    def asks(self, node: Node, depth: int = 0) -> Iterator[Words]:
        """One sentence for each constraint."""
        yield from self._counts(node)
        for name, say in _PHRASES.items():
            for value in self.values(node, name):
                yield say(self, value, depth)
        yield from self._qualified(node, depth)
        yield from self._closed(node)
        yield from self._others(node)

    def _counts(self, node: Node) -> Iterator[Words]:
        low, high = self.text(node, "minCount"), self.text(node, "maxCount")
        if high == "0":
            yield _said("none")
        elif low == high and low:
            yield _said(f"exactly {_number(low)}")
        elif low not in ("", "0") and high:
            yield _said(f"{low} to {high}")
        elif low not in ("", "0"):
            yield _said(f"at least {_number(low)}")
        elif high:
            yield _said(f"at most {_number(high)}")

    def _qualified(self, node: Node, depth: int) -> Iterator[Words]:
        low, high = self.text(node, "qualifiedMinCount"), self.text(node, "qualifiedMaxCount")
        for shape in self.values(node, "qualifiedValueShape"):
            most = f"at most {_number(high)}" if high else ""
            least = f"at least {_number(low)}" if low else ""
            counted = " and ".join(text for text in (least, most) if text)
            yield (*_said(f"{counted} of them: "), *self.inner(shape, depth))

    def _closed(self, node: Node) -> Iterator[Words]:
        if self.text(node, "closed") in ("true", "1"):
            spared = self.items(self.first(node, "ignoredProperties"))
            names = _joined([self.term(one) for one in spared], ", ")
            yield (*_said("no other property"), *((*_said(" but "), *names) if names else ()))

    def _others(self, node: Node) -> Iterator[Words]:
        """What has no phrase: shown as it is written."""
        for name, values in sorted(self.said.get(node, {}).items()):
            if name.startswith(SH) and name.removeprefix(SH) not in _TOLD:
                for value in values:
                    yield (Part(iri=name), *_said(" "), *self.term(value))

    def inner(self, node: Node, depth: int) -> Words:
        """A shape inside another: its name, or what it asks."""
        if isinstance(node, NamedNode):
            return (Part(iri=node.value),)
        if depth > DEEPEST:
            return _said("…")
        path = self.first(node, "path")
        own = _joined(list(self.asks(node, depth + 1)), ", ")
        nested = [self.inner(one, depth + 1) for one in self.values(node, "property")]
        said = _joined([words for words in (own, *nested) if words], "; ") or _said("anything")
        return (*self.path(path), *_said(": "), *said) if path is not None else said

    def term(self, node: Node) -> Words:
        """A value as it is written."""
        if isinstance(node, NamedNode):
            return (Part(iri=node.value),)
        if isinstance(node, BlankNode):
            members = self.items(node)
            return _joined([self.term(one) for one in members], ", ") or _said("something unnamed")
        return (Part(node.value if isinstance(node, Literal) else str(node), code=True),)

    def choice(self, node: Node, depth: int, between: str) -> Words:
        """The members of a list of shapes."""
        return _joined([self.inner(one, depth + 1) for one in self.items(node)], between)


def plain(words: Words) -> str:
    """The sentence as text, names in full."""
    return "".join(part.iri or part.text for part in words)


def below(triples: Iterable[Triple], iri: str) -> list[Triple]:
    """What is said of a name, and of the unnamed nodes that it leads to."""
    said: dict[object, list[Triple]] = {}
    for triple in triples:
        said.setdefault(triple.subject, []).append(triple)
    found: list[Triple] = []
    seen: set[object] = set()
    ahead: list[object] = [NamedNode(iri)]
    while ahead:
        node = ahead.pop()
        if node in seen:
            continue
        seen.add(node)
        found += said.get(node, [])
        ahead += [t.object for t in said.get(node, []) if isinstance(t.object, BlankNode)]
    return found


_Phrase = Callable[[_Reader, Node, int], Words]


def _phrase(before: str, after: str = "") -> _Phrase:
    return lambda reader, value, depth: (*_said(before), *reader.term(value), *_said(after))  # noqa: ARG005


def _shaped(before: str, between: str = "") -> _Phrase:
    """A phrase about another shape, or (`between` given) about a list of them."""

    def say(reader: _Reader, value: Node, depth: int) -> Words:
        if between:
            return (*_said(before), *reader.choice(value, depth, between))
        return (*_said(before), *reader.inner(value, depth))

    return say


def _node_kind(reader: _Reader, value: Node, depth: int) -> Words:  # noqa: ARG001 - all phrases have it
    kinds = {
        "IRI": "an IRI",
        "BlankNode": "a node without a name",
        "Literal": "a literal",
        "BlankNodeOrIRI": "a node, not a literal",
        "BlankNodeOrLiteral": "a literal or a node without a name",
        "IRIOrLiteral": "an IRI or a literal",
    }
    name = _local(value.value) if isinstance(value, NamedNode) else ""
    return _said(kinds[name]) if name in kinds else reader.term(value)


def _unique(reader: _Reader, value: Node, depth: int) -> Words:  # noqa: ARG001 - all phrases have it
    true = isinstance(value, Literal) and value.value in ("true", "1")
    return _said("one for each language" if true else "languages may repeat")


# Section 4, in its order; the counts and what needs several parameters stand in the reader.
_PHRASES: Mapping[str, _Phrase] = {
    "class": _phrase("of class "),
    "datatype": _phrase("of datatype "),
    "nodeKind": _node_kind,
    "minExclusive": _phrase("more than "),
    "minInclusive": _phrase("", " or more"),
    "maxExclusive": _phrase("less than "),
    "maxInclusive": _phrase("", " or less"),
    "minLength": _phrase("", " characters or more"),
    "maxLength": _phrase("", " characters or less"),
    "pattern": _phrase("of the form "),
    "languageIn": _phrase("in a language among "),
    "uniqueLang": _unique,
    "equals": _phrase("the same values as "),
    "disjoint": _phrase("no value that also stands under "),
    "lessThan": _phrase("less than "),
    "lessThanOrEquals": _phrase("at most "),
    "not": _shaped("not: "),
    "and": _shaped("all of: ", "; "),
    "or": _shaped("either ", ", or "),
    "xone": _shaped("exactly one of: ", "; "),
    "node": _shaped("fits "),
    "hasValue": _phrase("", " is among them"),
    "in": _phrase("one of "),
}
_TOLD = frozenset(_PHRASES) | {
    *("minCount", "maxCount", "qualifiedValueShape", "qualifiedMinCount", "qualifiedMaxCount"),
    *("closed", "ignoredProperties", "property", "path", "message", "severity", "deactivated"),
    *("name", "description", "order", "group", "defaultValue", "sparql", "target"),
    *("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf", "flags"),
    *("select", "ask", "prefixes", "declare", "prefix", "namespace"),
    *("inversePath", "alternativePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath"),
}


def _full(name: str) -> str:
    return name if "://" in name else SH + name


def _said(text: str) -> Words:
    return (Part(text),) if text else ()


def _joined(sentences: Sequence[Words], between: str) -> Words:
    found: list[Part] = []
    for place, words in enumerate(sentences):
        found += [*(_said(between) if place else ()), *words]
    return tuple(found)


def _number(text: str) -> str:
    return {"1": "one", "2": "two", "3": "three"}.get(text, text)


def _local(iri: str) -> str:
    return iri.rpartition("#")[2].rpartition("/")[2]
