"""Our own writers: JSON-LD and RDF/XML hold the triples of N-Triples, or say why not."""

import json
import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Triple,
    parse,
    serialize,
)
from rdflib.compare import isomorphic

from publisher import jsonld, rdfxml, turtle_text
from publisher.engine import rows
from publisher.errors import NotAcceptable

EX = "http://example.org/"
XSD = "http://www.w3.org/2001/XMLSchema#"
CONTEXT: dict[str, Any] = {
    "@context": {
        "ex": EX,
        "xsd": XSD,
        "ID": {"@id": EX + "ID_", "@prefix": True},
        "label": {"@id": "ex:label", "@container": "@language"},
        "note": {"@id": "ex:note", "@language": "en"},
        "ref": {"@id": "ex:ref", "@type": "@id"},
        "kind": {"@id": "ex:kind", "@type": "@vocab"},
        "year": {"@id": "ex:year", "@type": "xsd:gYear"},
        "many": {"@id": "ex:many", "@container": "@set"},
        "listed": {"@id": "ex:listed", "@container": "@list"},
        "Good": "ex:Good",
    }
}
NAMES = ["label", "note", "ref", "kind", "year", "many", "listed", "plain", "p9", "a-b.c"]

words = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
iris = st.sampled_from(["a", "b", "ID_7", "Good", "x:y", "é", "http://other.org/z"]).map(
    lambda name: NamedNode(name if name.startswith("http") else EX + name)
)
literals = st.one_of(
    words.map(Literal),
    st.builds(lambda w, t: Literal(w, language=t), words, st.sampled_from(["en", "de", "en-gb"])),
    st.integers(-(10**18), 10**18).map(
        lambda n: Literal(str(n), datatype=NamedNode(XSD + "integer"))
    ),
    st.sampled_from(
        [("007", "integer"), ("2014", "gYear"), ("1.0", "double"), ("true", "boolean")]
    ).map(lambda pair: Literal(pair[0], datatype=NamedNode(XSD + pair[1]))),
)
triples = st.builds(
    Triple,
    st.one_of(iris, st.just(BlankNode("n1"))),
    st.sampled_from(NAMES).map(lambda name: NamedNode(EX + name)),
    st.one_of(iris, literals, st.just(BlankNode("n2"))),
)


def graph(data: bytes, form: str) -> rdflib.Graph:
    """What an independent reader finds (rdflib warns of its own use of an old class)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return rdflib.Graph().parse(data=data, format=form)


def plainly(content: list[Triple]) -> set[str]:
    """Triples as N-Triples lines, with one name for all blank nodes."""
    return {
        " ".join(
            "_:b" if isinstance(t, BlankNode) else str(t)
            for t in (x.subject, x.predicate, x.object)
        )
        for x in content
    }


@given(st.lists(triples, max_size=8))
def test_json_ld_reads_back_as_the_same_triples(content: list[Triple]) -> None:
    """Whatever a context coerces, no value is bent by it."""
    written = jsonld.document(content, jsonld.read_context(CONTEXT))
    found = [quad.triple for quad in parse(written, format=RdfFormat.JSON_LD)]
    assert plainly(found) == plainly(content)


@given(st.lists(triples, max_size=8))
def test_rdf_xml_reads_back_as_the_same_triples(content: list[Triple]) -> None:
    """Every property that XML has a name for survives."""
    written = "".join(rdfxml.write(content, {"ex": EX})).encode()
    found = [quad.triple for quad in parse(written, format=RdfFormat.RDF_XML)]
    assert plainly(found) == plainly(content)


def test_another_reader_agrees() -> None:
    """rdflib reads the same graph from all three."""
    content = [
        Triple(NamedNode(EX + "a"), NamedNode(EX + "label"), Literal("x", language="en")),
        Triple(NamedNode(EX + "a"), NamedNode(EX + "label"), Literal("no language")),
        Triple(NamedNode(EX + "a"), NamedNode(EX + "ref"), BlankNode("0a")),
        Triple(BlankNode("0a"), NamedNode(EX + "p9"), Literal(' <&"\r\n\t> ')),
    ]
    plain = graph(serialize(content, format=RdfFormat.N_TRIPLES) or b"", "nt")
    json_ld = jsonld.document(content, jsonld.read_context(CONTEXT))
    xml = "".join(rdfxml.write(content, {"ex": EX})).encode()
    assert isomorphic(plain, graph(json_ld, "json-ld"))
    assert isomorphic(plain, graph(xml, "xml"))


def test_json_ld_carries_only_the_used_part_of_the_context() -> None:
    """A small resource does not drag the whole context along."""
    content = [
        Triple(
            NamedNode(EX + "a"),
            NamedNode(EX + "year"),
            Literal("2014", datatype=NamedNode(XSD + "gYear")),
        )
    ]
    found = json.loads(jsonld.document(content, jsonld.read_context(CONTEXT)))
    assert set(found["@context"]) == {"ex", "xsd", "year"}
    assert (found["@id"], found["year"]) == ("ex:a", "2014")


def test_json_ld_keeps_graphs_apart() -> None:
    """A dataset's named graphs come back with their names."""
    one = Triple(NamedNode(EX + "a"), NamedNode(EX + "p"), Literal("1"))
    quads = [
        Quad(one.subject, one.predicate, one.object, graph)
        for graph in (NamedNode(EX + "g"), DefaultGraph())
    ]
    written = jsonld.dataset(quads, jsonld.read_context(CONTEXT))
    assert set(parse(written, format=RdfFormat.JSON_LD)) == set(quads)


@pytest.mark.parametrize(
    "triple",
    [
        Triple(NamedNode(EX + "a"), NamedNode(EX + "9"), Literal("no name")),
        Triple(NamedNode(EX + "a"), NamedNode(EX), Literal("no name")),
        Triple(NamedNode(EX + "a"), NamedNode(EX + "p"), Literal("bell\x07")),
        Triple(NamedNode(EX + "a"), NamedNode(EX + "p"), Literal("\ufffe")),
    ],
)
def test_rdf_xml_says_what_it_cannot_carry(triple: Triple) -> None:
    """Rather no document than one that no parser reads."""
    with pytest.raises(NotAcceptable):
        "".join(rdfxml.write([triple], {}))


CSV = b'x,y\r\n1,2\r\n"a\r\nb",3\r\n"q""\r\n",4\r\n'
JSON = (
    b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"},{\\""}},{},'
    b'{"x":{"type":"triple","value":{"subject":{"type":"uri","value":"a"}}}}]}}'
)
XML = b"<sparql><results><result></result><result><binding/></result></results></sparql>"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [("csv", CSV, 3), ("json", JSON, 3), ("xml", XML, 2), ("tsv", b"?x\n1\n2\n", 2)],
)
def test_rows_are_counted_wherever_the_pieces_are_cut(
    name: str, body: bytes, expected: int, size: int
) -> None:
    """Line breaks in quotes and braces in texts are no rows, nor is the head of a table."""
    count: Callable[[bytes], int] = rows.counter(name)
    found = [count(body[place : place + size]) for place in range(0, len(body), size)]
    assert found[-1] == expected


@given(st.lists(triples, min_size=1, max_size=12))
def test_turtle_of_a_resource_holds_its_triples(content: list[Triple]) -> None:
    """Grouped by predicate, with prefixes; the same triples for a reader."""
    subject = NamedNode(EX + "a.b")
    own = [Triple(subject, triple.predicate, triple.object) for triple in content]
    text = turtle_text.turtle(
        own, {"ex": EX, "xsd": XSD, "ID": EX + "ID_", "o": "http://other.org/"}
    )
    assert text is not None
    assert plainly([quad.triple for quad in parse(text.encode(), RdfFormat.TURTLE)]) == plainly(own)
    assert text.count("@prefix") == len(set(re.findall(r"@prefix (\w+):", text)))
