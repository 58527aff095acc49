"""The triples of one subject as Turtle with prefixes, for one resource under load.

The store's own way (parse a query, plan it, evaluate it, write N-Triples) takes three times as long
as reading the index and putting the text together here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

_LOCAL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9_-]))*")
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"

REMEMBERED = 16384
MOST_TABLES = 8

Pairs = tuple[tuple[str, str], ...]
Term = NamedNode | BlankNode | Literal | Triple


def turtle(triples: Sequence[Triple] | Sequence[Quad], prefixes: Mapping[str, str]) -> str | None:
    """The triples of one named subject, by predicate; None for none, and for RDF 1.2 terms.

    >>> a = NamedNode("http://example.org/a")
    >>> print(turtle([Triple(a, a, Literal("x"))], {"ex": "http://example.org/"}))
    @prefix ex: <http://example.org/> .
    <BLANKLINE>
    ex:a ex:a "x" .
    <BLANKLINE>
    """
    if not triples:
        return None
    names = _names_of(prefixes)
    used: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for triple in triples:
        shown = _shown(triple.object, names, used)
        if shown is None:
            return None
        values.setdefault(triple.predicate.value, []).append(shown)
    lines = [f"a {' , '.join(values.pop(RDF_TYPE))}"] if RDF_TYPE in values else []
    for predicate, shown_values in values.items():
        lines.append(f"{names.of(predicate, used)} {' , '.join(shown_values)}")
    head = _shown(triples[0].subject, names, used)
    declared = "".join([used[name] for name in sorted(used)])
    body = " ;\n\t".join(lines)
    return f"{declared}\n{head} {body} .\n"


class _Names:
    """Names for IRIs, the ones that were given lately remembered."""

    def __init__(self, prefixes: Pairs) -> None:
        self.prefixes = sorted(prefixes, key=lambda pair: (-len(pair[1]), pair[0]))
        self.known: dict[str, tuple[str, str, str]] = {}

    def of(self, iri: str, used: dict[str, str]) -> str:
        """The name; the declaration of its prefix goes to `used`."""
        found = self.known.get(iri)
        if found is None:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            found = self.known[iri] = self._find(iri)
        shown, prefix, declaration = found
        if prefix:
            used[prefix] = declaration
        return shown

    def _find(self, iri: str) -> tuple[str, str, str]:
        for prefix, namespace in self.prefixes:
            if iri.startswith(namespace):
                local = iri[len(namespace) :]
                if _LOCAL.fullmatch(local):
                    return f"{prefix}:{local}", prefix, f"@prefix {prefix}: <{namespace}> .\n"
        return f"<{iri}>", "", ""


def _names_of(prefixes: Mapping[str, str]) -> _Names:
    """The names for a table of prefixes. A release has one table, which is known by its identity:
    comparing it would take longer than half of the triples do."""
    known = _last.get(id(prefixes))
    if known is None or known[0] is not prefixes:
        if len(_last) >= MOST_TABLES:
            _last.clear()
        known = _last[id(prefixes)] = prefixes, _Names(tuple(prefixes.items()))
    return known[1]


_last: dict[int, tuple[Mapping[str, str], _Names]] = {}


def _shown(term: Term, names: _Names, used: dict[str, str]) -> str | None:
    if type(term) is NamedNode:
        return names.of(term.value, used)
    if type(term) is Literal:
        text = str(term)  # as in N-Triples
        if text.endswith('"'):
            return text
        if term.language is not None:
            return text if term.direction is None else None
        datatype = term.datatype.value
        return text[: -len(datatype) - 2] + names.of(datatype, used)
    return str(term) if type(term) is BlankNode else None
