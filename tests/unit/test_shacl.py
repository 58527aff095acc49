"""Shapes: judged in pieces and over fewer statements, with the same result as all at once."""

from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rdflib import RDF
from rdflib.namespace import SH

from publisher import check, corpus
from publisher.check import shacl
from publisher.corpus import Corpus

LIGHTS = "http://example.org/lights/"
LV = LIGHTS + "ontology#"


def halves(found: Corpus) -> tuple[list[ox.Triple], list[ox.Triple]]:
    """The statements to judge, and the shapes."""
    shapes = [f.triple for file in found.files if file.room == "shapes" for f in file.facts]
    data = [f.triple for file in found.files if file.room != "shapes" for f in file.facts]
    return [*data, *(d.triple for d in found.derived)], shapes


def plainly(data: list[ox.Triple], shapes: list[ox.Triple]) -> set[tuple[str, str, str]]:
    """What pyshacl says when it is simply called."""
    _, report, _ = pyshacl.validate(
        shacl.to_rdflib(data), shacl_graph=shacl.to_rdflib(shapes), inplace=True
    )
    details = set(report.objects(None, SH.detail))
    return {
        (
            str(report.value(node, SH.focusNode)),
            str(report.value(node, SH.sourceConstraintComponent)).removeprefix(str(SH)),
            str(report.value(node, SH.value) or ""),
        )
        for node in report.subjects(RDF.type, SH.ValidationResult)
        if node not in details
    }


def in_pieces(data: list[ox.Triple], shapes: list[ox.Triple], processes: int = 1) -> set[object]:
    results = shacl.validate(data, shapes, processes=processes)
    return {(r.focus, r.component, r.value) for r in results}


names = [LIGHTS + n for n in ("LGT_0001", "LGT_0002", "LGT_0010", "new")]
names += [f"{LIGHTS}sighting/isbn-978-0-00-000001-9.{n}" for n in (1, 2, 10)]
predicates = [LV + n for n in ("verdict", "light", "miles", "statedIn", "lamp", "sightings")]
predicates += [str(RDF.type), "http://www.w3.org/2004/02/skos/core#prefLabel"]
values = [LV + n for n in ("Light", "Lightship", "Sighting", "Seen", "Range")] + names
objects = st.one_of(
    st.sampled_from(values).map(ox.NamedNode),
    st.sampled_from([ox.Literal("x", language="en"), ox.Literal("7"), ox.Literal(-1)]),
)
more = st.builds(
    ox.Triple,
    st.sampled_from(names).map(ox.NamedNode),
    st.sampled_from(predicates).map(ox.NamedNode),
    objects,
)


@hypothesis_settings(max_examples=60)
@given(st.data())
def test_pieces_say_what_pyshacl_says(lights: Corpus, data: st.DataObject) -> None:
    """Statements taken away and added at random: the same focus nodes, components and values."""
    facts, shapes = halves(lights)
    gone = data.draw(st.sets(st.integers(0, len(facts) - 1), max_size=8))
    added = data.draw(st.lists(more, max_size=5))
    spoilt = [fact for n, fact in enumerate(facts) if n not in gone] + added
    seen = shacl._seen_by(shapes)
    pruned = [fact for fact in spoilt if fact.predicate.value in seen]
    assert in_pieces(pruned, shapes) == plainly(spoilt, shapes)


def test_several_processes_say_the_same_as_one(
    lights: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And pieces of one focus node the same as one piece of all."""
    facts, shapes = halves(lights)
    spoilt = [f for f in facts if not f.predicate.value.endswith(("verdict", "definition"))]
    alone = in_pieces(spoilt, shapes)
    assert alone
    monkeypatch.setattr(shacl, "PIECE", 1)
    assert in_pieces(spoilt, shapes, processes=2) == alone


@pytest.mark.parametrize("parameter", ["closed", "sparql"])
def test_shapes_that_see_everything_are_shown_everything(parameter: str) -> None:
    """A closed shape complains of a property that no shape names."""
    shape = ox.Triple(ox.NamedNode("a:s"), ox.NamedNode(str(SH[parameter])), ox.Literal(value=True))
    assert shacl._seen_by([shape]) == set()


def test_only_some_files(copy: Path) -> None:
    """What is wrong elsewhere is not told, unless it keeps the shapes from being looked at."""
    one, other = "data/lights/0001-grey-point.ttl", "data/lights/0002-sand-bank.ttl"
    for path in (one, other):
        text = (copy / path).read_text()
        line = next(row for row in text.split("\n") if "skos:definition" in row)
        (copy / path).write_text(text.replace(line + "\n", ""))
    report = check.judge(corpus.read(copy), only=[one], processes=1)
    assert {(f.file, f.rule) for f in report.findings} == {(one, "shape:Light-definition")}
    (copy / other).write_text("oops")
    report = check.judge(corpus.read(copy), only=[one], processes=1)
    assert {f.rule for f in report.findings} == {"readable"}


def test_the_message_of_an_inner_shape_is_told(copy: Path) -> None:
    """ "Value does not conform to shape" helps nobody."""
    file = copy / "shapes/Range.ttl"
    text = file.read_text().replace("sh:property shape:Range-sightings", "sh:node shape:Inner")
    text += "\nshape:Inner\n    a sh:NodeShape ;\n    sh:property shape:Range-sightings ;\n.\n"
    file.write_text(text.replace("sh:minInclusive 1", "sh:minInclusive 2"))
    report = check.judge(corpus.read(copy), processes=1)
    found = [f for f in report.findings if "range:0002-0010" in f.focus]
    assert [f.message for f in found] == [
        "range:0002-0010 is range:0002-0010: a range has been sighted"
    ] or ("a range has been sighted" in found[0].message)
    assert found[0].file == "ontology/rules/10-ranges.rq"
