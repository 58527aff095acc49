"""Turtle: read with lines, written in one form."""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher import turtle
from publisher.errors import TurtleForm, TurtleSyntax
from publisher.names import Prefixes

EX = "http://example.org/"
PREFIXES = Prefixes(
    (
        ("ex", EX),
        ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
        ("skos", "http://www.w3.org/2004/02/skos/core#"),
        ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    )
)
XSD = "http://www.w3.org/2001/XMLSchema#"


def form(text: str, stem: str = "") -> str:
    return turtle.format_text(text, prefixes=PREFIXES, stem=stem)


def meaning(text: str) -> set[str]:
    """The triples that pyoxigraph reads, without blank nodes' random names."""
    found = ox.Dataset(ox.Quad(*t) for t in ox.parse(text.encode(), ox.RdfFormat.TURTLE))
    found.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in found}


# --- reading --------------------------------------------------------------------------------------

TRICKY = (Path(__file__).parent / "turtle.txt").read_text(encoding="utf-8").split("\n----\n")


@pytest.mark.parametrize("text", TRICKY)
def test_reading_agrees_with_the_engine(text: str) -> None:
    """Our reader adds lines to what the engine reads and changes nothing."""
    located = turtle.read(text, file="t.ttl", base=EX)
    ours = ox.Dataset(ox.Quad(*item.triple) for item in located)
    ours.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    theirs = ox.Dataset(
        ox.Quad(*t) for t in ox.parse(text.encode(), ox.RdfFormat.TURTLE, base_iri=EX)
    )
    theirs.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    assert {str(q) for q in ours} == {str(q) for q in theirs}


def test_every_triple_has_the_line_of_its_object() -> None:
    """A value further down has its own line, also after a text of several lines."""
    text = f'@prefix ex: <{EX}> .\n\nex:a ex:p """one\ntwo""" ,\n  ex:b ;\n  ex:q [ ex:r\n 4 ] .\n'
    lines = {str(item.triple.object): item.line for item in turtle.read(text, file="t.ttl")}
    assert lines['"one\\ntwo"'] == 3
    assert lines[f"<{EX}b>"] == 5
    assert lines[f'"4"^^<{XSD}integer>'] == 7


def test_literals_stay_as_written() -> None:
    """The reader does not turn 4.50 into 4.5."""
    text = f'<{EX}a> <{EX}p> 4.50, "P12M"^^<{XSD}duration>, 04 .'
    values = {item.triple.object.value for item in turtle.read(text, file="t.ttl")}  # type: ignore[union-attr]
    assert values == {"4.50", "P12M", "04"}


@pytest.mark.parametrize(
    ("text", "line", "fix"),
    [
        (f"@prefix ex: <{EX}> .\nex:a ex:b 1\nex:c ex:d 2 .", 3, "end the statement"),
        (f'@prefix ex: <{EX}> .\nex:a ex:b "never ends', 2, ""),
        (f"@prefix ex: <{EX}> .\n\nexx:a ex:b 1 .", 3, "did you mean ex:"),
        (f"@prefix ex: <{EX}> .\nskos:a ex:b 1 .", 2, "add a line `@prefix skos:"),
        ("<relative> <b> 1 .", 1, "whole IRI"),
    ],
)
def test_a_syntax_error_says_where_and_how_to_mend_it(text: str, line: int, fix: str) -> None:
    """File, line, and advice."""
    with pytest.raises(TurtleSyntax) as caught:
        turtle.parse(text, file="data/x.ttl", known=PREFIXES.namespaces)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"data/x.ttl:{line}")
    assert fix in caught.value.fix


def test_nesting_that_would_exhaust_the_stack_is_refused() -> None:
    """A hundred thousand brackets are an error, not the end of the process."""
    with pytest.raises(TurtleSyntax, match="nested"):
        turtle.parse("<a:a> <a:b> " + "[ <a:b> " * 100_000, file="deep.ttl")


# --- the canonical form ---------------------------------------------------------------------------


def test_the_form_is_this() -> None:
    """The whole of it, once."""
    text = f"""@prefix x: <{EX}> . @prefix unused: <http://unused/> .
x:b10 x:p 1 . x:b2 x:p 1.0, 1.5, true, "1"^^<{XSD}integer> . <http://other/> x:p x:a .
x:main x:z "a\\tb\\"c" ; <http://www.w3.org/2004/02/skos/core#definition> '''two
lines'''@EN-gb ; a x:C , x:B ; x:list ( 2 [ x:p 1 ] ) ; <{EX}with/slash> 4 .
x:main x:z "again" . [] x:p 1 ."""
    assert form(text, stem="main") == (
        "@prefix ex: <http://example.org/> .\n"
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
        "\nex:main\n    a ex:B ;\n    a ex:C ;\n"
        '    skos:definition "two\\nlines"@en-gb ;\n'
        "    <http://example.org/with/slash> 4 ;\n"
        "    ex:list (\n        2\n        [\n            ex:p 1 ;\n        ]\n    ) ;\n"
        '    ex:z "a\\tb\\"c" ;\n    ex:z "again" ;\n.\n'
        "\n<http://other/>\n    ex:p ex:a ;\n.\n"
        '\nex:b2\n    ex:p 1 ;\n    ex:p 1.5 ;\n    ex:p "1.0"^^xsd:decimal ;\n    ex:p true ;\n.\n'
        "\nex:b10\n    ex:p 1 ;\n.\n"
        "\n[]\n    ex:p 1 ;\n.\n"
    )


@pytest.mark.parametrize("text", TRICKY)
def test_formatting_keeps_the_meaning(text: str) -> None:
    """The same triples before and after."""
    if re.search(r"_:|^\s*#|\s# |@base|BASE|<[a-z]*>", text):
        return
    assert meaning(form(text)) == meaning(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"# a note\n<{EX}a> <{EX}b> 1 .", "comment"),
        (f"<{EX}a> <{EX}b> 1 . # a note", "comment"),
        (f"<{EX}a> <{EX}b> _:x .", "blank node label"),
    ],
)
def test_what_would_be_lost_is_refused(text: str, what: str) -> None:
    """A comment is not silently dropped."""
    with pytest.raises(TurtleForm, match=what) as caught:
        form(text)
    assert caught.value.line == 1
    assert caught.value.fix


names = st.from_regex(r"[a-z0-9_]{1,6}([.-][a-z0-9]{1,3})?", fullmatch=True).map(lambda n: EX + n)
foreign = st.sampled_from(["http://other/x", "urn:a:b", "http://example.org/a/b", "http://e/ü#%41"])
iris = st.one_of(names, foreign).map(ox.NamedNode)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.one_of(
    st.from_regex(r"[+-]?[0-9]{1,4}", fullmatch=True).map(lambda v: (v, "integer")),
    st.from_regex(r"-?[0-9]{0,3}\.[0-9]{1,3}", fullmatch=True).map(lambda v: (v, "decimal")),
    st.from_regex(r"[0-9]\.[0-9]E-?[0-9]", fullmatch=True).map(lambda v: (v, "double")),
    st.sampled_from([("true", "boolean"), ("1", "boolean"), ("2020-02-29", "date")]),
).map(lambda pair: ox.Literal(pair[0], datatype=ox.NamedNode(XSD + pair[1])))
literals = st.one_of(
    texts.map(ox.Literal),
    st.tuples(texts, st.sampled_from(["en", "en-gb", "de"])).map(
        lambda pair: ox.Literal(pair[0], language=pair[1])
    ),
    numbers,
)
triples = st.builds(ox.Triple, iris, iris, st.one_of(iris, literals))
graphs = st.lists(triples, max_size=12)


def written(found: list[ox.Triple]) -> str:
    return "".join(f"{triple} .\n" for triple in found)


@given(graphs)
def test_formatting_is_idempotent_and_keeps_the_meaning(found: list[ox.Triple]) -> None:
    """Any graph: the same triples, and formatting twice is formatting once."""
    once = form(written(found))
    assert form(once) == once
    back = {str(t) for t in ox.parse(once.encode(), ox.RdfFormat.TURTLE)}
    assert back == {str(t) for t in found}


@given(graphs, st.randoms())
def test_the_form_depends_on_the_triples_only(found: list[ox.Triple], random: object) -> None:
    """Whatever order they came in."""
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert form(written(shuffled)) == form(written(found))


@given(graphs, triples)
def test_one_more_fact_is_one_more_line(found: list[ox.Triple], more: ox.Triple) -> None:
    """Where the subject is there already and no prefix is new, nothing else changes."""
    subjects = {str(t.subject) for t in found}
    if str(more.subject) not in subjects or str(more) in {str(t) for t in found}:
        return
    before, after = form(written(found)), form(written([*found, more]))
    if before.count("@prefix") != after.count("@prefix"):
        return
    old, new = before.split("\n"), after.split("\n")
    assert len(new) == len(old) + 1
    assert any(new[:i] + new[i + 1 :] == old for i in range(len(new)))


trees: st.SearchStrategy[str] = st.recursive(
    st.sampled_from(["ex:a", "1", '"x"@en', "[]", "()"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"( {' '.join(items)} )"),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda items: "[ " + " ; ".join(f"ex:p {item}" for item in items) + " ]"
        ),
    ),
    max_leaves=12,
)


@given(st.lists(trees, min_size=1, max_size=3))
def test_nodes_without_names_keep_their_place(objects: list[str]) -> None:
    """Lists and brackets, nested in any way."""
    text = f"@prefix ex: <{EX}> .\nex:s ex:p " + " , ".join(objects) + " ."
    once = form(text)
    assert form(once) == once
    # Two brackets that say the same thing are one fact too many, and only one is kept.
    if len(set(once.split("\n"))) == len(once.split("\n")):
        assert meaning(once) == meaning(text)
