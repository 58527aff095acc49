"""Writes compact JSON-LD with a context, directly from triples.

Covers what a graph's own context needs: prefixes, terms, coercion to `@id`, `@vocab` and datatypes,
languages, `@set` and `@language` containers. Terms with other containers are simply not used. The
document carries the used part of the context inside it, so that reading it needs no network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

from publisher.errors import NotAcceptable

RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
XSD = "http://www.w3.org/2001/XMLSchema#"
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,14}")
_GENERIC_END = tuple(":/?#[]@")

Json = dict[str, Any]


@dataclass(frozen=True)
class Term:
    """A term of the context; `coercion` is `@id`, `@vocab`, a datatype IRI or empty."""

    name: str
    iri: str
    coercion: str
    container: str
    language: str | None


@dataclass(frozen=True)
class Context:
    """A context prepared for writing: terms by property, prefixes with the longest first."""

    source: Json
    terms: dict[str, tuple[Term, ...]]
    names: dict[str, str]
    prefixes: tuple[tuple[str, str], ...]
    language: str | None = None
    vocabulary: str = ""


@dataclass
class _Writing:
    """The state of one document: the context, the names used so far, and seen compactions."""

    context: Context
    used: set[str] = field(default_factory=set)
    compacted: dict[str, str] = field(default_factory=dict)


def read_context(document: Json) -> Context:
    """A context from the JSON of a context document (`{"@context": {...}}` or its inside)."""
    source: Json = document.get("@context", document)
    terms: dict[str, list[Term]] = {}
    names: dict[str, str] = {}
    prefixes: list[tuple[str, str]] = []
    for name, definition in source.items():
        if name.startswith("@") or not (full := _definition(definition)):
            continue
        iri = _expand(str(full.get("@id", name)), source)
        if _is_prefix(full, iri, definition):
            prefixes.append((iri, name))
        if (term := _term(name, iri, full, source)) is not None:
            terms.setdefault(iri, []).append(term)
            names.setdefault(iri, name)
    return Context(
        source=source,
        terms={iri: tuple(found) for iri, found in terms.items()},
        names=names,
        prefixes=tuple(sorted(prefixes, key=lambda pair: -len(pair[0]))),
        language=source.get("@language"),
        vocabulary=str(source.get("@vocab") or ""),
    )


def document(triples: Iterable[Triple], context: Context) -> bytes:
    """A whole document: one node per subject; a single node stands at the top itself."""
    writing = _Writing(context)
    nodes = _nodes(triples, writing)
    content = nodes[0] if len(nodes) == 1 else {"@graph": nodes}
    return _dump({"@context": _used_context(writing), **content})


def dataset(quads: Iterable[Quad], context: Context) -> bytes:
    """A document with one named graph after the other; the default graph's nodes come first."""
    writing = _Writing(context)
    graphs: dict[NamedNode | BlankNode | DefaultGraph, list[Triple]] = {}
    for quad in quads:
        graphs.setdefault(quad.graph_name, []).append(quad.triple)
    content: list[Json] = []
    for name, triples in graphs.items():
        nodes = _nodes(triples, writing)
        if isinstance(name, DefaultGraph):
            content[:0] = nodes
        else:
            content.append({"@id": _reference(name, writing), "@graph": nodes})
    return _dump({"@context": _used_context(writing), "@graph": content})


def _dump(content: Json) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode(
        "utf-8", "surrogatepass"
    )


def _nodes(triples: Iterable[Triple], writing: _Writing) -> list[Json]:
    nodes: dict[NamedNode | BlankNode | Triple, Json] = {}
    for triple in triples:
        node = nodes.get(triple.subject)
        if node is None:
            node = nodes[triple.subject] = {"@id": _reference(triple.subject, writing)}
        _add(node, triple.predicate.value, triple.object, writing)
    return list(nodes.values())


def _add(
    node: Json, predicate: str, value: NamedNode | BlankNode | Literal | Triple, writing: _Writing
) -> None:
    if predicate == RDF_TYPE and isinstance(value, NamedNode):
        _append(node, "@type", _vocabulary_name(value.value, writing), always_list=False)
        return
    term = _choose(predicate, value, writing.context)
    if term is None:
        key = _compact(predicate, writing)
        bare = not writing.context.language
        _append(node, key, _explicit(value, writing, bare=bare), always_list=False)
        return
    writing.used.add(term.name)
    if term.container == "@language" and isinstance(value, Literal):
        _append(
            node.setdefault(term.name, {}), value.language or "", value.value, always_list=False
        )
        return
    _append(node, term.name, _coerced(value, term, writing), always_list=term.container == "@set")


def _append(node: Json, key: str, value: Any, *, always_list: bool) -> None:
    if key not in node:
        node[key] = [value] if always_list else value
    elif isinstance(node[key], list):
        node[key].append(value)
    else:
        node[key] = [node[key], value]


def _choose(
    predicate: str, value: NamedNode | BlankNode | Literal | Triple, context: Context
) -> Term | None:
    """The term whose coercion fits the value best; None when no term may carry it."""
    ranked = [
        (rank, -place, term)
        for place, term in enumerate(context.terms.get(predicate, ()))
        if (rank := _fit(term, value))
    ]
    return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def _fit(term: Term, value: NamedNode | BlankNode | Literal | Triple) -> int:
    if term.container == "@language":
        fits = isinstance(value, Literal) and bool(value.language) and not value.direction
        return 3 if fits else 0
    if isinstance(value, Literal):
        if value.language:
            return 3 if term.language == value.language and not term.coercion else 1
        return 3 if term.coercion == value.datatype.value else 1
    return 3 if term.coercion in ("@id", "@vocab") else 1


def _coerced(
    value: NamedNode | BlankNode | Literal | Triple, term: Term, writing: _Writing
) -> object:
    """The short form where the term's coercion says the rest, else the explicit one."""
    if isinstance(value, NamedNode) and term.coercion == "@vocab":
        return _vocabulary_name(value.value, writing)
    if isinstance(value, NamedNode | BlankNode):
        name = _reference(value, writing)
        return name if term.coercion in ("@id", "@vocab") else {"@id": name}
    if isinstance(value, Literal) and not value.direction:
        if term.coercion and term.coercion == value.datatype.value and not value.language:
            return value.value
        language = term.language if term.language is not None else writing.context.language
        if not term.coercion and (value.language or None) == (language or None) and _plain(value):
            return value.value
        if not term.coercion and (native := _native(value)) is not None:
            return native
    return _explicit(value, writing, bare=False)


def _plain(value: Literal) -> bool:
    return bool(value.language) or value.datatype.value == XSD + "string"


def _native(value: Literal) -> int | bool | None:
    """JSON's own values, where reading them back gives the same literal."""
    datatype = value.datatype.value
    if datatype == XSD + "integer" and _INTEGER.fullmatch(value.value):
        return int(value.value)
    if datatype == XSD + "boolean" and value.value in ("true", "false"):
        return value.value == "true"
    return None


def _explicit(
    value: NamedNode | BlankNode | Literal | Triple, writing: _Writing, *, bare: bool
) -> object:
    """The form that no coercion of a key can bend; `bare` allows JSON's own values."""
    if isinstance(value, NamedNode | BlankNode):
        return {"@id": _reference(value, writing)}
    if isinstance(value, Triple):
        raise NotAcceptable(
            "the answer holds triple terms, which JSON-LD cannot carry",
            offered=("text/turtle", "application/n-triples"),
            fix="ask for Turtle or N-Triples",
        )
    if value.language:
        direction = {"@direction": str(value.direction.value)} if value.direction else {}
        return {"@value": value.value, "@language": value.language, **direction}
    if bare and (found := _native(value)) is not None:
        return found
    if _plain(value):
        return value.value if bare else {"@value": value.value}
    return {"@value": value.value, "@type": _vocabulary_name(value.datatype.value, writing)}


def _reference(node: NamedNode | BlankNode | Triple, writing: _Writing) -> str:
    if isinstance(node, BlankNode):
        return f"_:{node.value}"
    if isinstance(node, Triple):
        raise NotAcceptable("the answer holds triple terms, which JSON-LD cannot carry")
    return _compact(node.value, writing)


def _vocabulary_name(iri: str, writing: _Writing) -> str:
    """An IRI where terms may stand for IRIs (`@type`, `@vocab`)."""
    name = writing.context.names.get(iri)
    if name is None:
        return _compact(iri, writing)
    writing.used.add(name)
    return name


def _compact(iri: str, writing: _Writing) -> str:
    known = writing.compacted.get(iri)
    if known is None:
        known = writing.compacted[iri] = _prefixed(iri, writing)
    return known


def _prefixed(iri: str, writing: _Writing) -> str:
    for namespace, prefix in writing.context.prefixes:
        local = iri[len(namespace) :]
        if local and iri.startswith(namespace) and not local.startswith("//"):
            name = f"{prefix}:{local}"
            if name not in writing.context.source:
                writing.used.add(prefix)
                return name
    return iri


def _used_context(writing: _Writing) -> Json:
    """The part of the context that this document needs, in the context's own order."""
    source = writing.context.source
    wanted = set(writing.used)
    waiting = list(wanted)
    while waiting:
        needed = {name for name in _mentioned(source[waiting.pop()]) if name in source} - wanted
        wanted |= needed
        waiting.extend(needed)
    return {n: d for n, d in source.items() if n in wanted or (n.startswith("@") and n != "@base")}


def _mentioned(definition: Any) -> list[str]:
    """The prefixes and terms that a definition itself is written with."""
    full = _definition(definition) or {}
    texts = [str(full[key]) for key in ("@id", "@type") if key in full]
    return [part for text in texts for part in (text, text.partition(":")[0])]


def _definition(definition: Any) -> Json | None:
    if isinstance(definition, str):
        return {"@id": definition}
    return definition if isinstance(definition, dict) else None


def _is_prefix(full: Json, iri: str, definition: Any) -> bool:
    """JSON-LD 1.1: a simple term that ends in a delimiter, or one that says so."""
    if "@prefix" in full:
        return bool(full["@prefix"])
    return isinstance(definition, str) and iri.endswith(_GENERIC_END)


def _term(name: str, iri: str, full: Json, source: Json) -> Term | None:
    """The term, unless using it would mean more than these rules know."""
    container = full.get("@container", "")
    plain = not {"@reverse", "@nest", "@context", "@index", "@direction"} & full.keys()
    if not plain or ":" in name or container not in ("", "@set", "@language") or iri[0] == "@":
        return None
    coercion = str(full.get("@type", ""))
    if coercion and not coercion.startswith("@"):
        coercion = _expand(coercion, source)
    elif coercion not in ("", "@id", "@vocab"):
        return None
    language = full.get("@language", None)
    return Term(name, iri, coercion, container, "" if _unset(full) else language)


def _unset(full: Json) -> bool:
    """A term that takes back the default language."""
    return "@language" in full and full["@language"] is None


def _expand(name: str, source: Json, seen: frozenset[str] = frozenset()) -> str:
    """The full IRI of a name used inside the context; keywords stay as they are."""
    if name.startswith("@") or name in seen:
        return name
    prefix, colon, local = name.partition(":")
    if colon and not local.startswith("//") and prefix in source:
        inner = (_definition(source[prefix]) or {}).get("@id", prefix)
        return _expand(str(inner), source, seen | {name}) + local
    if not colon and name in source:
        inner = (_definition(source[name]) or {}).get("@id", name)
        if inner != name:
            return _expand(str(inner), source, seen | {name})
    return name if colon else str(source.get("@vocab") or "") + name
