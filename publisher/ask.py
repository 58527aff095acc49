"""One question, one answer: of a release on this disk, or of a service elsewhere.

For a person at a terminal, who may ask anything and stop it with Ctrl-C; the public endpoint goes
through the engine with its budgets instead.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from typing import Any

import pyoxigraph as ox

from publisher.downloads import short_turtle
from publisher.engine.asking import ask
from publisher.engine.complaint import explain
from publisher.errors import EngineUnavailable, MalformedQuery, PublisherError, UsageError
from publisher.names import Prefixes
from publisher.release import Release

# Oxigraph's parser recurses: on a small stack a long query ends the process (SIGSEGV).
STACK = 256 * 2**20
WIDEST = 60

RESULTS = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
GRAPHS = {
    "turtle": ox.RdfFormat.TURTLE,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "rdfxml": ox.RdfFormat.RDF_XML,
}
FORMATS = (*RESULTS, *GRAPHS)


def local(found: Release, text: str, form: str, prefixes: Prefixes) -> bytes:
    """The answer of a release, in `form` (a table, or one of FORMATS)."""
    return _on_a_large_stack(lambda: _local(found, text, form, prefixes))


def _local(found: Release, text: str, form: str, prefixes: Prefixes) -> bytes:
    store = ox.Store.read_only(str(found.store))
    try:
        answer = ask(store, text, prefixes=dict(prefixes.pairs))
    except SyntaxError as error:
        raise explain(error, text, dict(prefixes.pairs)) from error
    if isinstance(answer, ox.QueryTriples):
        wanted = GRAPHS.get("turtle" if form == "table" else form)
        if wanted is None:
            raise _misfit(form, "statements", GRAPHS)
        if wanted == ox.RdfFormat.TURTLE:
            return short_turtle(answer, prefixes).encode()
        return bytes(answer.serialize(format=wanted) or b"")
    if form == "table":
        document = json.loads(answer.serialize(format=ox.QueryResultsFormat.JSON) or b"{}")
        return table(document, prefixes).encode()
    if form not in RESULTS:
        raise _misfit(form, "rows", RESULTS)
    return bytes(answer.serialize(format=RESULTS[form]) or b"")


def _misfit(form: str, what: str, known: dict[str, Any]) -> UsageError:
    return UsageError(f"{form} cannot carry {what}", where="--format", fix=" or ".join(known))


def _on_a_large_stack(work: Any) -> bytes:
    result: list[bytes] = []
    failure: list[BaseException] = []

    def go() -> None:
        try:
            result.append(work())
        except PublisherError as error:
            # Without its frames: they hold the engine's answer, which must end in this thread.
            failure.append(error.with_traceback(None))
        except BaseException as error:  # handed over to the thread that asked
            failure.append(error)

    before = threading.stack_size(STACK)
    try:
        thread = threading.Thread(target=go, daemon=True)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


def remote(url: str, text: str, form: str, prefixes: Prefixes, *, timeout: float) -> bytes:
    """The answer of a SPARQL 1.1 service."""
    from SPARQLWrapper import SPARQLWrapper
    from SPARQLWrapper.SPARQLExceptions import QueryBadFormed, SPARQLWrapperException

    service = SPARQLWrapper(url, agent="neuromodkg")
    service.setTimeout(max(1, round(timeout)))
    service.setQuery(declare(text, prefixes))
    service.setMethod("POST")
    builds = service.queryType in ("CONSTRUCT", "DESCRIBE")
    names = {"table": "turtle" if builds else "json", "rdfxml": "rdf+xml", "ntriples": "n3"}
    service.setReturnFormat(names.get(form, form))
    try:
        answer = bytes(service.query().response.read())
    except QueryBadFormed as error:
        raise MalformedQuery(f"the service refuses the query: {error.msg}") from error
    except (SPARQLWrapperException, OSError) as error:
        raise EngineUnavailable(f"the service does not answer: {error}", where=url) from error
    if form != "table" or builds:
        return answer
    return table(json.loads(answer), prefixes).encode()


def declare(text: str, prefixes: Prefixes) -> str:
    """The query with the prefixes it uses and does not declare."""
    declared = set(re.findall(r"(?i)\bPREFIX\s+([\w.-]*):", text))
    bare = re.sub(r'<[^<>\s]*>|"[^"\n]*"', " ", text)
    used = set(re.findall(r"(?<![\w<?$])([A-Za-z][\w.-]*):", bare))
    missing = [(p, n) for p, n in prefixes.pairs if p in used - declared]
    return "".join(f"PREFIX {p}: <{n}> " for p, n in missing) + text


def table(document: dict[str, Any], prefixes: Prefixes) -> str:
    """SPARQL results in columns; names are shortened, long texts cut."""
    if "boolean" in document:
        return "yes\n" if document["boolean"] else "no\n"
    names: list[str] = document["head"]["vars"]
    rows = [
        [_cell(binding.get(name), prefixes) for name in names]
        for binding in document["results"]["bindings"]
    ]
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    lines = [_line(names, widths), _line(["-" * width for width in widths], widths)]
    lines += [_line(row, widths) for row in rows]
    return "\n".join(lines) + f"\n{len(rows)} rows\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _cell(term: dict[str, str] | None, prefixes: Prefixes) -> str:
    if term is None:
        return ""
    value = term.get("value", "")
    if term.get("type") == "uri":
        return prefixes.show(value)
    text = " ".join(str(value).split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
