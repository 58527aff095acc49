"""The triples of one subject as Turtle with prefixes, for one resource under load.

The store's own way (parse a query, plan it, evaluate it, write N-Triples) takes three times as long
as reading the index and putting the text together here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

_LOCAL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9_-]))*")
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"

Pairs = tuple[tuple[str, str], ...]
Term = NamedNode | BlankNode | Literal | Triple


def turtle(triples: Sequence[Triple], prefixes: Mapping[str, str]) -> str | None:
    """The triples of one named subject, by predicate; None for a term that Turtle 1.1 cannot say.

    >>> a = NamedNode("http://example.org/a")
    >>> print(turtle([Triple(a, a, Literal("x"))], {"ex": "http://example.org/"}))
    @prefix ex: <http://example.org/> .
    <BLANKLINE>
    ex:a ex:a "x" .
    <BLANKLINE>
    """
    pairs, used = _longest_first(tuple(prefixes.items())), set[str]()
    values: dict[str, list[str]] = {}
    for triple in triples:
        shown = _shown(triple.object, pairs, used)
        if shown is None:
            return None
        values.setdefault(triple.predicate.value, []).append(shown)
    lines = [f"a {' , '.join(values.pop(RDF_TYPE))}"] if RDF_TYPE in values else []
    for predicate, shown_values in values.items():
        lines.append(f"{_name(predicate, pairs, used)} {' , '.join(shown_values)}")
    head = _shown(triples[0].subject, pairs, used)
    declared = "".join([f"@prefix {name}: <{prefixes[name]}> .\n" for name in sorted(used)])
    body = " ;\n\t".join(lines)
    return f"{declared}\n{head} {body} .\n"


@lru_cache(maxsize=8)
def _longest_first(pairs: Pairs) -> Pairs:
    return tuple(sorted(pairs, key=lambda pair: (-len(pair[1]), pair[0])))


def _shown(term: Term, pairs: Pairs, used: set[str]) -> str | None:
    if type(term) is NamedNode:
        return _name(term.value, pairs, used)
    if type(term) is Literal:
        text = str(term)  # as in N-Triples
        if text.endswith('"'):
            return text
        if term.language is not None:
            return text if term.direction is None else None
        datatype = term.datatype.value
        return text[: -len(datatype) - 2] + _name(datatype, pairs, used)
    return str(term) if type(term) is BlankNode else None


def _name(iri: str, pairs: Pairs, used: set[str]) -> str:
    prefix, shown = _compact(iri, pairs)
    if prefix:
        used.add(prefix)
    return shown


@lru_cache(maxsize=16384)
def _compact(iri: str, pairs: Pairs) -> tuple[str, str]:
    for prefix, namespace in pairs:
        if iri.startswith(namespace):
            local = iri[len(namespace) :]
            if _LOCAL.fullmatch(local):
                return prefix, f"{prefix}:{local}"
    return "", f"<{iri}>"
