"""The engine over any SPARQL 1.1 service, or several replicas of one: the first that answers.

For a graph that has outgrown one machine. Budgets are ours: seconds and bytes are counted here, so
that a slow or endless service is the same to our clients as a slow or endless query.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import IO, Any

from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Triple,
    Variable,
    parse,
    parse_query_results,
)
from SPARQLWrapper import POST, URLENCODED, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import (
    EndPointInternalError,
    EndPointNotFound,
    QueryBadFormed,
    SPARQLWrapperException,
)

from publisher.engine.frames import CHUNK
from publisher.engine.outline import TOKEN
from publisher.engine.question import (
    Answer,
    Budget,
    Question,
    Row,
    Substitutions,
    Term,
    rows_of,
)
from publisher.errors import EngineUnavailable, MalformedQuery, QueryTimeout, QueryTooCostly
from publisher.formats import BY_NAME
from publisher.settings import Settings

LOOKUP = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_MEMBERS = f"(<{_RDF}first>|<{_RDF}rest>)*"
# Unnamed nodes two steps away, a list on the way counted as one step. ?s is written in: inside a
# UNION nothing is known of what VALUES binds outside.
DESCRIBED = f"""CONSTRUCT {{ ?n ?p ?o }} WHERE {{
  {{ BIND(?s AS ?n) }} UNION {{ ?s ?a ?x FILTER(ISBLANK(?x)) ?x {_MEMBERS} ?n FILTER(ISBLANK(?n)) }}
  UNION {{ ?s ?a ?x FILTER(ISBLANK(?x)) ?x {_MEMBERS} ?y FILTER(ISBLANK(?y))
    ?y ?b ?z FILTER(ISBLANK(?z)) ?z {_MEMBERS} ?n FILTER(ISBLANK(?n)) }}
  ?n ?p ?o }}"""
GRAPH = "CONSTRUCT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }"
COUNT = "SELECT (COUNT(*) AS ?n) { { SELECT DISTINCT ?s ?p ?o { ?s ?p ?o } } }"
NAMES = "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g"
OWN_BUDGET = Budget(seconds=60.0)


class Remote:
    """One per process; holds no connection between questions."""

    def __init__(self, services: Sequence[str], settings: Settings | None = None) -> None:
        if not services:
            raise EngineUnavailable("no SPARQL service is named")
        self.services = tuple(services)
        self.settings = settings or Settings()

    # our own questions

    def select(self, query: str, substitutions: Substitutions | None = None) -> list[Row]:
        """The rows of one of our own queries."""
        found = self._results(query, substitutions)
        assert isinstance(found, QuerySolutions), "only SELECT has rows"
        return rows_of(found)

    def ask(self, query: str, substitutions: Substitutions | None = None) -> bool:
        """The answer to one of our own questions."""
        return bool(self._results(query, substitutions))

    def lookup(self, iri: str) -> list[Triple]:
        """The triples whose subject this is."""
        return self._triples(LOOKUP, "s", iri)

    def described(self, iri: str) -> list[Triple]:
        """The same, and those of the lists and unnamed nodes that they lead to.

        An unnamed node has no address elsewhere, so all of it is asked for at once.
        """
        own = self.lookup(iri)
        unnamed = any(isinstance(triple.object, BlankNode) for triple in own)
        if not unnamed:
            return own
        body = self._whole(Question(DESCRIBED.replace("?s", str(NamedNode(iri))), "ntriples"))
        quads = parse(body, format=RdfFormat.N_TRIPLES)
        return list(dict.fromkeys(quad.triple for quad in quads))

    def graph(self, iri: str) -> list[Triple]:
        """The triples of one named graph."""
        return self._triples(GRAPH, "g", iri)

    def count(self) -> int:
        """How many distinct triples there are."""
        found = self.select(COUNT)[0]["n"]
        assert isinstance(found, Literal)
        return int(found.value)

    def graphs(self) -> tuple[str, ...]:
        """The names of all graphs; asked once, since a release does not change."""
        return self._graphs

    @cached_property
    def _graphs(self) -> tuple[str, ...]:
        return tuple(r["g"].value for r in self.select(NAMES) if isinstance(r["g"], NamedNode))

    def _results(self, query: str, substitutions: Substitutions | None) -> Any:
        text = substituted(query, substitutions or {})
        body = self._whole(Question(text, "json"))
        return parse_query_results(body, QueryResultsFormat.JSON)

    def _triples(self, query: str, variable: str, iri: str) -> list[Triple]:
        try:
            text = substituted(query, {Variable(variable): NamedNode(iri)})
        except ValueError:
            return []
        body = self._whole(Question(text, "ntriples"))
        return [quad.triple for quad in parse(body, format=RdfFormat.N_TRIPLES)]

    def _whole(self, question: Question) -> bytes:
        found = self.stream(question, OWN_BUDGET)
        return b"".join((found.head, *(found.rest or ())))

    # everybody's questions

    def stream(self, question: Question, budget: Budget) -> Answer:
        """The answer of the first service that can be reached."""
        trouble: EngineUnavailable | None = None
        for service in self.services:
            try:
                return self._ask(service, question, budget)
            except EngineUnavailable as error:
                trouble = error
        assert trouble is not None
        raise trouble

    def _ask(self, service: str, question: Question, budget: Budget) -> Answer:
        deadline = time.monotonic() + budget.seconds
        source = _open(_wrapper(service, question, budget))
        pieces = _pieces(source, deadline, budget)
        head = next(pieces, b"")
        return Answer(head, pieces) if len(head) >= CHUNK else Answer(head)

    def close(self) -> None:
        """Nothing is held."""


def _wrapper(service: str, question: Question, budget: Budget) -> SPARQLWrapper:
    wrapper = SPARQLWrapper(service, agent="neuromodkg")
    wrapper.setMethod(POST)
    wrapper.setRequestMethod(URLENCODED)
    wrapper.setOnlyConneg(True)
    wrapper.setTimeout(max(1, round(budget.seconds)))
    wrapper.addCustomHttpHeader("Accept", BY_NAME[question.format].media_type)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it guesses the form of a query that it cannot parse
        wrapper.setQuery(question.query)
    for name, graphs in (
        ("default-graph-uri", question.dataset.default),
        ("named-graph-uri", question.dataset.named),
    ):
        for graph in graphs or ():
            wrapper.addParameter(name, graph)
    return wrapper


def _open(wrapper: SPARQLWrapper) -> IO[bytes]:
    try:
        response: IO[bytes] = wrapper.query().response
        return response
    except QueryBadFormed as error:
        raise MalformedQuery(_reason(error)) from error
    except TimeoutError as error:
        raise QueryTimeout("the service did not answer in time") from error
    except urllib.error.HTTPError as error:
        raise _refused(error) from error
    except (EndPointInternalError, EndPointNotFound, SPARQLWrapperException) as error:
        raise EngineUnavailable("the service could not answer") from error
    except (OSError, http.client.HTTPException) as error:
        raise EngineUnavailable("the service cannot be reached") from error


def _refused(error: urllib.error.HTTPError) -> Exception:
    """A service's own refusals, told as ours."""
    if error.code == 504:
        return QueryTimeout("the query took longer than the service gives it")
    if error.code == 413:
        return QueryTooCostly("the query needs more than the service gives it")
    if 400 <= error.code < 500 and error.code not in (401, 403, 404, 408, 429):
        return MalformedQuery("the service does not accept this query")
    return EngineUnavailable(f"the service answered {error.code}")


def _reason(error: SPARQLWrapperException) -> str:
    """The first line of what the service said; some services send pages of text."""
    text = str(error).partition("Response:")[2].strip().strip("b'\"")
    return text.replace("\\n", "\n").strip().split("\n")[0][:300] or "the query is not SPARQL"


def _pieces(source: IO[bytes], deadline: float, budget: Budget) -> Iterator[bytes]:
    """The body, as long as it keeps within its budget; a body that breaks off raises."""
    size = 0
    try:
        while piece := source.read(CHUNK):
            size += len(piece)
            if size > budget.bytes:
                raise QueryTooCostly(f"the answer is larger than {budget.bytes} bytes")
            if time.monotonic() > deadline:
                raise QueryTimeout("the answer took too long")
            yield piece
    except TimeoutError as error:
        raise QueryTimeout("the service stopped answering") from error
    except (OSError, http.client.HTTPException) as error:
        raise EngineUnavailable("the service broke off") from error
    finally:
        source.close()


# substitution


def substituted(query: str, values: Substitutions) -> str:
    """The query with values for its variables, as terms in a VALUES block at its end.

    A service has no other way to take them, and text put into text would be open to injection: the
    terms are written by the engine's own serialiser.

    >>> substituted("SELECT ?o { ?s ?p ?o }", {Variable("s"): NamedNode("http://example.org/a")})
    'SELECT ?o { VALUES (?s) { (<http://example.org/a>) } ?s ?p ?o }'
    """
    if not values:
        return query
    names = " ".join(f"?{variable.value}" for variable in values)
    terms = " ".join(_written(term) for term in values.values())
    place = _body_of(query)
    return f"{query[:place]} VALUES ({names}) {{ ({terms}) }}{query[place:]}"


def _body_of(query: str) -> int:
    """Where the outermost pattern begins: after the last brace that opens at depth 0."""
    depth, place = 0, 0
    for match in TOKEN.finditer(query):
        if match.lastgroup != "mark":
            continue
        if match.group() == "{":
            depth += 1
            if depth == 1:
                place = match.end()
        elif match.group() == "}":
            depth -= 1
    return place


def _written(term: Term) -> str:
    if isinstance(term, BlankNode | Triple):
        raise ValueError("blank nodes and triples cannot be given to a service")
    return str(term)
