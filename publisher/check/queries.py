"""Queries that stand as data: rules, editions, pages' queries, stored examples, own checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pyoxigraph as ox

from publisher import derive
from publisher.check.finding import Finding, Severity
from publisher.corpus import Corpus
from publisher.errors import QueryFault
from publisher.graph import stem

_SEVERITY = re.compile(r"^# severity: (\w+)", re.MULTILINE)
_SH = "http://www.w3.org/ns/shacl#"
_TEXTS = {_SH + name for name in ("select", "ask", "construct")}


def readable(corpus: Corpus) -> Iterator[Finding]:
    """A query that the engine cannot read; the rules are tried by running them."""
    prefixes = corpus.graph.prefixes.namespaces
    editions = [query for queries in corpus.editions.values() for query in queries]
    for path, text in (*editions, *corpus.pages, *corpus.checks):
        try:
            # A page's query is read with the graph's prefixes; the others stand for themselves.
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


def consistent(corpus: Corpus) -> Iterator[Finding]:
    """What the graph's own checks find: queries that must find nothing.

    A check is a SELECT of `?focus`, `?message` and, where one line is meant, `?property`; it says
    its severity in a comment, `# severity: warning`, and is a violation else. SHACL can say all
    this too, but runs a query for each node.
    """
    for path, text in corpus.checks:
        try:
            found = corpus.store.query(text)
        except SyntaxError:
            continue  # told by `readable`
        except QueryFault:
            return  # told by `usable_rules`
        names = {v.value for v in found.variables} if isinstance(found, ox.QuerySolutions) else None
        if names is None or not {"focus", "message"} <= names:
            message = "a check is a SELECT of ?focus and ?message"
            yield Finding("violation", "checks", path, 0, "", message, "see CONTRIBUTING")
            continue
        severity = _SEVERITY.search(text)
        level: Severity = "warning" if severity and severity[1] == "warning" else "violation"
        seen = set()
        for row in cast(ox.QuerySolutions, found):
            focus, message = row["focus"], row["message"]
            named = row["property"] if "property" in names else None
            if (focus, message) in seen or not isinstance(focus, ox.NamedNode):
                continue
            seen.add((focus, message))
            told = message.value if isinstance(message, ox.Literal) else "does not hold"
            yield _at(corpus, Finding(level, stem(path), "", 0, focus.value, told), named)


def _at(corpus: Corpus, finding: Finding, named: object) -> Finding:
    """The finding with its place: the line of the property, else where its focus begins."""
    show = corpus.graph.prefixes.show
    file, line = corpus.described.get(finding.focus, (None, 0))
    if file is None:
        return replace(finding, file="ontology/rules", focus=show(finding.focus))
    for fact in file.facts:
        subject = fact.triple.subject
        here = isinstance(subject, ox.NamedNode) and subject.value == finding.focus
        if here and fact.triple.predicate == named:
            line = fact.line
            break
    return replace(finding, file=file.path, line=line, focus=show(finding.focus))


def usable_rules(corpus: Corpus) -> Iterator[Finding]:
    """A rule that is no CONSTRUCT, or that makes nodes without names."""
    try:
        _ = corpus.derived
    except QueryFault as error:
        yield _finding("usable-rules", error, error.line)


def _finding(rule: str, error: QueryFault, line: int) -> Finding:
    return Finding("violation", rule, error.file, line, "", error.what, error.fix)
