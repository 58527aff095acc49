"""Names that the engine's parser cannot read are asked in another spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, QuerySolutions, Store

from publisher.engine.asking import ask, escaped
from publisher.engine.complaint import explain

BASE = "http://example.org/"
NAME = "doi-10.1016-j.pain.2007.07.028.1"
PREFIXES = {"ex": BASE}


def store() -> Store:
    """One triple about a thing with dots in its name."""
    found = Store()
    found.add(Quad(NamedNode(BASE + NAME), NamedNode(BASE + "p.q.r"), Literal("a.b.c")))
    return found


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT * {{ ex:{NAME} ?p ?o }}",
        f"SELECT * {{ ?s ?p ?o FILTER(?s = ex:{NAME}) }}",
        f"SELECT * {{ VALUES ?s {{ ex:{NAME} }} ?s ex:p.q.r|ex:x.y.z ?o.}}",
        f"SELECT * {{ ex:{NAME} ex:p.q.r 'a.b.c'. }} # ex:a.b.c",
        r"SELECT * { ?s ex:p\.q.r ?o . ?s ?p ?o }",
        f"SELECT * {{ ?s ?p ?o MINUS {{ ex:{NAME} ex:p.q.s ?o }} }}",
    ],
)
def test_names_with_several_dots_are_understood(query: str) -> None:
    """Wherever they stand."""
    found = ask(store(), query, prefixes=PREFIXES)
    assert isinstance(found, QuerySolutions)
    assert len(list(found)) == 1


def test_texts_comments_and_iris_stay_as_they_are() -> None:
    """Only names are spelt in another way."""
    query = 'ASK { <http://a/b.c.d> ?p """ex:a.b.c""", \'ex:a.b.c\', 1.5, ex:a.b } # ex:a.b.c'
    assert escaped(query) == (query, [])


@pytest.mark.parametrize("lead", ["", "# ex:a.b.c\n", "ASK { ex:a.b.c ?p ?o } "])
def test_a_fault_is_told_where_it_stands(lead: str) -> None:
    """Beside such a name, and on another line."""
    query = f"{lead}SELECT * {{ ex:a.b.c\n ex:d.e.f ) }}"
    plain = query.replace("a.b.c", "a_b_c").replace("d.e.f", "d_e_f")
    places = []
    for each in (query, plain):
        with pytest.raises(SyntaxError) as refused:
            ask(store(), each, prefixes=PREFIXES)
        told = explain(refused.value, each, PREFIXES)
        places.append((told.line, told.column))
    assert places[0] == places[1]


@given(st.text(alphabet="ex:ab.\\ '\"<>#?{}\n", max_size=40))
def test_spelling_loses_nothing(query: str) -> None:
    """Whatever the text, without the marks that were put in it is the same."""
    other, inserted = escaped(query)
    assert "".join(c for n, c in enumerate(other) if n not in set(inserted)) == query
