"""How much the graph holds, counted over HTTP, and what every part of it must carry."""

import pytest

from tests.conftest import NMO, Running

HEAD = f"""PREFIX nmo: <{NMO}>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX sssom: <https://w3id.org/sssom/>
PREFIX foaf: <http://xmlns.com/foaf/0.1/>
"""
LEAST = {
    "therapies": (57, "?x a/rdfs:subClassOf* nmo:Therapy"),
    "conditions": (160, "?x a nmo:Condition"),
    "device types": (55, "?x a nmo:DeviceType"),
    "device components": (10, "?x a nmo:DeviceComponent"),
    "targets": (60, "?x a nmo:Target"),
    "adverse events": (45, "?x a nmo:AdverseEvent"),
    "outcome measures": (28, "?x a nmo:OutcomeMeasure"),
    "drugs": (8, "?x a nmo:Drug"),
    "mappings": (850, "?x a sssom:Mapping"),
    "denied mappings": (20, "?x a sssom:Mapping ; sssom:predicate_modifier ?not"),
    "sources": (250, "?x a/rdfs:subClassOf* nmo:Source"),
    "studies": (140, "?x a nmo:Study"),
    "claims": (350, "?x a nmo:Claim"),
    "claims that do not simply support": (
        90,
        "?x a nmo:Claim ; nmo:stance ?s FILTER(?s != nmo:StanceSupports)",
    ),
    "outcome results with typed estimates": (
        200,
        "?x a nmo:OutcomeResult ; nmo:hasEstimate/nmo:estimateKind ?kind",
    ),
    "safety statements": (120, "?x a nmo:SafetyClaim"),
    "guidelines and consensus papers": (
        30,
        "?x a ?t VALUES ?t { nmo:Guideline nmo:ConsensusStatement }",
    ),
    "regulatory decisions": (40, "?x a nmo:RegulatoryDecision"),
}
# What must not be: patterns that the graph may not answer.
NEVER = {
    "a source without a resolvable identifier": (
        "?x a/rdfs:subClassOf* nmo:Source "
        "FILTER NOT EXISTS { ?x nmo:doi|nmo:pmid|nmo:pmcid|nmo:registryNumber|nmo:documentNumber "
        "?id } FILTER NOT EXISTS { ?x nmo:identifierStatus nmo:StatusNotKnown }"
    ),
    "a claim without locator, source or stance": (
        "?x a nmo:Claim FILTER NOT EXISTS { ?x nmo:locator ?l ; nmo:statedIn ?s ; nmo:stance ?t }"
    ),
    "a source with a DOI, PMID or PMCID and no link to it": (
        "?x nmo:doi|nmo:pmid|nmo:pmcid ?id FILTER NOT EXISTS { ?x foaf:page ?page }"
    ),
    "a term of the vocabulary without a definition": (
        "?x rdfs:isDefinedBy ?o FILTER NOT EXISTS { ?x skos:definition ?d ; rdfs:label ?l }"
    ),
    "a concept without a definition": (
        "?x skos:inScheme ?s FILTER NOT EXISTS { ?x skos:definition ?d ; skos:prefLabel ?l }"
    ),
    "support from a study that is none": (
        "?x nmo:investigation ?i ; a nmo:StudyFinding FILTER NOT EXISTS { ?i nmo:design ?d }"
    ),
    "an anecdote that is counted": (
        "?x a nmo:AnecdotalReport . { ?x nmo:reports ?study } "
        "UNION { ?claim nmo:statedIn ?x ; nmo:investigation ?study }"
    ),
}


def count(server: Running, pattern: str) -> int:
    """The number of distinct ?x."""
    query = f"{HEAD}SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE {{ {pattern} }}"
    reply = server.query(query, "text/csv", seconds=60)
    assert reply.status == 200, reply.body
    return int(reply.body.split()[1])


@pytest.mark.parametrize("what", LEAST)
def test_the_graph_holds_at_least(graph_server: Running, what: str) -> None:
    """The extent that the graph promises."""
    least, pattern = LEAST[what]
    assert count(graph_server, pattern) >= least


@pytest.mark.parametrize("what", NEVER)
def test_the_graph_never_holds(graph_server: Running, what: str) -> None:
    """What the rules of honesty forbid."""
    assert count(graph_server, NEVER[what]) == 0
