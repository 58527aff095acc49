"""Tools that ask: the terms to ask in, SPARQL, and the stored queries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from pyoxigraph import NamedNode

from publisher.engine.question import Budget
from publisher.errors import NotFound
from publisher.mcp.telling import Teller, plain, short
from publisher.mcp.tools import Answer, Json, Tool, count, text
from publisher.protocol import sparql
from publisher.protocol.values import Request
from publisher.screens.desk import Desk

ROWS, MOST_ROWS = 50, 500
ANSWER_BYTES = 4 * 2**20
LONGEST_GRAPH = 50_000
TERMS = 60
_KINDS = ("owl:Class", "rdfs:Class", "owl:ObjectProperty", "owl:DatatypeProperty", "rdf:Property")


def tools(teller: Teller) -> list[Tool]:
    """All of them."""
    return [vocabulary_tool(teller), sparql_tool(teller), list_tool(teller), run_tool(teller)]


def vocabulary_tool(teller: Teller) -> Tool:
    def run(about: str = "", limit: int = TERMS) -> Answer:
        found = [
            term for term in _terms(teller) if about.lower() in " ".join(term.values()).lower()
        ]
        lines = [f"{len(found)} terms, {min(limit, len(found))} shown"]
        lines += [
            f"- {t['curie']} ({t['sort']}): {t['label']}. {t['definition']}" for t in found[:limit]
        ]
        prefixes = dict(teller.desk.site.names.prefixes.pairs)
        lines.append("Prefixes need not be declared in queries: " + ", ".join(prefixes))
        return Answer("\n".join(lines), {"total": len(found), "terms": found[:limit]})

    about = (
        "Classes and properties of the vocabulary with their definitions: what a SPARQL query is"
        " written in."
    )
    takes = {
        "about": {
            "type": "string",
            "description": "only terms that mention this",
            "maxLength": 100,
        },
        "limit": count("most terms", TERMS, 300),
    }
    return Tool("vocabulary", "Vocabulary", about, takes, (), run)


def _terms(teller: Teller) -> list[dict[str, str]]:
    desk = teller.desk
    known: list[dict[str, str]] | None = desk.site.shelf.get("mcp-terms")
    if known is None:
        spaces = tuple(desk.iri(f"{t}:") if "://" not in t else t for t in desk.settings["terms"])
        known = []
        for kind in _KINDS:
            for iri, label in desk.index.of_kind(desk.iri(kind), 5000):
                own = iri.startswith(spaces)
                said = desk.site.engine.lookup(iri) if own else []
                leads = ("#definition", "#comment")
                definition = next(
                    (
                        str(getattr(t.object, "value", ""))
                        for t in said
                        if t.predicate.value.endswith(leads)
                    ),
                    "",
                )
                sort = "class" if kind.endswith("Class") else "property"
                known.append(
                    {
                        "curie": desk.compact(iri),
                        "iri": iri,
                        "sort": sort,
                        "label": label,
                        "definition": short(definition),
                    }
                )
        known.sort(key=lambda term: not term["iri"].startswith(spaces))
        desk.site.shelf["mcp-terms"] = known
    return known


# queries


def sparql_tool(teller: Teller) -> Tool:
    site = teller.desk.site
    about = (
        "Ask the graph in SPARQL 1.1 (SELECT, ASK, CONSTRUCT, DESCRIBE; read only). The default"
        " graph is the union of all named graphs; prefixes of the vocabulary need not be declared."
        f" A query may take {site.settings.query_seconds:g} seconds. `vocabulary` has the terms."
        f" {teller.desk.table('site').get('asking', '')}".rstrip()
    )
    takes = {
        "query": text("the query", site.settings.query_bytes),
        "limit": count("most rows to show", ROWS, MOST_ROWS),
    }

    def run(query: str, limit: int = ROWS) -> Answer:
        return ask(teller, query, limit)

    return Tool("sparql", "SPARQL", about, takes, ("query",), run)


def ask(teller: Teller, query: str, limit: int) -> Answer:
    """The answer to a query, through the same door as `/sparql`."""
    site = teller.desk.site
    request = Request(
        "GET",
        "/sparql",
        urlencode({"query": query}),
        {"accept": "application/sparql-results+json, text/turtle;q=0.9"},
    )
    inquiry = sparql.understand(site, request)
    assert inquiry is not None, "there is a query"
    limits = sparql.budget(site)
    budget = Budget(limits.seconds, min(limits.bytes, ANSWER_BYTES), limits.rows)
    found = site.engine.stream(inquiry.question, budget)
    body = found.head + b"".join(found.rest or ())
    if inquiry.choice.format.name != "json":
        turtle = body.decode("utf-8", "replace")
        cut = len(turtle) > LONGEST_GRAPH
        shown = turtle[:LONGEST_GRAPH] + ("\n# cut here: ask for less" if cut else "")
        return Answer(shown, {"turtle": turtle[:LONGEST_GRAPH], "cut": cut})
    return _table(teller, json.loads(body), limit)


def _table(teller: Teller, content: Mapping[str, Any], limit: int) -> Answer:
    if "boolean" in content:
        truth = bool(content["boolean"])
        return Answer("yes" if truth else "no", {"boolean": truth})
    names = content["head"].get("vars", [])
    bindings = content["results"]["bindings"]
    shown = bindings[:limit]
    iris = {v["value"] for row in shown for v in row.values() if v["type"] == "uri"}
    labels = teller.desk.index.known(iris)
    rows = [{name: _cell(value, labels) for name, value in row.items()} for row in shown]
    cut = f", the first {len(shown)} shown" if len(bindings) > len(shown) else ""
    lines = [f"{len(bindings)} rows{cut}", " | ".join(names)]
    lines += [" | ".join(plain(row[n]) if n in row else "" for n in names) for row in rows]
    data: Json = {"variables": names, "total": len(bindings), "rows": rows}
    return Answer("\n".join(lines), data)


def _cell(value: Mapping[str, str], labels: Mapping[str, Any]) -> Json:
    if value["type"] == "uri":
        known = labels.get(value["value"])
        return {"text": known.label if known else value["value"], "iri": value["value"]}
    more = {"language": value["xml:lang"]} if "xml:lang" in value else {}
    return {"text": str(value["value"]), **more}


# stored queries


def _stored(teller: Teller) -> dict[str, dict[str, str]]:
    """The stored queries by the last part of their IRI; those kept by the build, else asked for."""
    desk = teller.desk
    rows: Iterable[Mapping[str, str]] = desk.index.fact("queries") or _asked_for(desk)
    return {row["query"].rpartition("/")[2].rpartition("#")[2]: dict(row) for row in rows}


_STORED = """
PREFIX sh: <http://www.w3.org/ns/shacl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?query ?text ?label {
  ?query sh:select|sh:ask|sh:construct ?text
  FILTER EXISTS { ?query a ?kind FILTER(STRENDS(STR(?kind), "Executable")) }
  OPTIONAL { ?query rdfs:label ?label }
} ORDER BY ?query"""


def _asked_for(desk: Desk) -> list[dict[str, str]]:
    rows = desk.site.engine.select(_STORED)
    return [
        {name: str(getattr(term, "value", "")) for name, term in row.items()}
        for row in rows
        if isinstance(row["query"], NamedNode)
    ]


def list_tool(teller: Teller) -> Tool:
    def run(about: str = "") -> Answer:
        found = [
            {
                "name": name,
                "iri": row["query"],
                "question": row.get("question") or row.get("label", ""),
                **({"gap": row["gap"]} if row.get("gap") else {}),
            }
            for name, row in _stored(teller).items()
            if about.lower() in " ".join(row.values()).lower()
        ]
        lines = [f"- {each['name']}: {each['question']}" for each in found]
        return Answer("\n".join(lines) or "no stored query", {"queries": found})

    about = "Questions that the graph answers, each by a stored query that `run_query` runs."
    takes = {
        "about": {
            "type": "string",
            "description": "only queries that mention this",
            "maxLength": 100,
        }
    }
    return Tool("list_queries", "Stored queries", about, takes, (), run)


def run_tool(teller: Teller) -> Tool:
    def run(name: str, limit: int = ROWS) -> Answer:
        stored = _stored(teller)
        row = stored.get(name) or next((r for r in stored.values() if r["query"] == name), None)
        if row is None:
            raise NotFound(
                "there is no such stored query", where=name[:100], fix="list_queries lists them"
            )
        found = ask(teller, row["text"], limit)
        question = row.get("question") or row.get("label", "")
        told = f"{question}\n<{row['query']}>\n{found.text}"
        return Answer(
            told, {"question": question, "iri": row["query"], "query": row["text"], **found.data}
        )

    about = "Run one of the stored queries by its name; `list_queries` lists them."
    takes = {"name": text("name or IRI of the query"), "limit": count("most rows", ROWS, MOST_ROWS)}
    return Tool("run_query", "Run a stored query", about, takes, ("name",), run)
