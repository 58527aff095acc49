"""Queries that stand as data: rules, editions, the pages' queries and the stored examples."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyoxigraph as ox

from publisher import derive
from publisher.check.finding import Finding
from publisher.corpus import Corpus
from publisher.errors import QueryFault

_SH = "http://www.w3.org/ns/shacl#"
_TEXTS = {_SH + name for name in ("select", "ask", "construct")}


def readable(corpus: Corpus) -> Iterator[Finding]:
    """A query that the engine cannot read; the rules are tried by running them."""
    prefixes = corpus.graph.prefixes.namespaces
    editions = [query for queries in corpus.editions.values() for query in queries]
    for path, text in (*editions, *corpus.pages):
        try:
            # A page's query is read with the graph's prefixes; an edition stands for itself.
            derive.readable(text, path, prefixes if (path, text) in corpus.pages else {})
        except QueryFault as error:
            yield _finding("query-syntax", error, error.line)
    for file, fact in corpus.located():
        value = fact.triple.object
        if fact.triple.predicate.value in _TEXTS and isinstance(value, ox.Literal):
            # SHACL's own placeholder, which is replaced before the query is read.
            text = value.value.replace("$PATH", "<urn:path>")
            try:
                derive.readable(re.sub(r"\$this\b", "?this", text), file.path, prefixes)
            except QueryFault as error:
                yield _finding("query-syntax", error, fact.line)


def usable_rules(corpus: Corpus) -> Iterator[Finding]:
    """A rule that is no CONSTRUCT, or that makes nodes without names."""
    try:
        _ = corpus.derived
    except QueryFault as error:
        yield _finding("usable-rules", error, error.line)


def _finding(rule: str, error: QueryFault, line: int) -> Finding:
    return Finding("violation", rule, error.file, line, "", error.what, error.fix)
