"""What shapes ask, in words."""

import pyoxigraph as ox
import pytest

from publisher import constraints
from publisher.constraints import Shape
from publisher.corpus import Corpus

HEAD = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <ex:> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
"""


def read(text: str) -> dict[str, Shape]:
    quads = ox.parse(HEAD + text, format=ox.RdfFormat.TURTLE)
    return dict(constraints.read(q.triple for q in quads).shapes)


def words(constraint: str) -> list[str]:
    """What one property shape asks."""
    found = read(f"ex:s a sh:PropertyShape ; sh:path ex:p ; {constraint} .")["ex:s"]
    return [constraints.plain(each).replace("http://www.w3.org/", "w3:") for each in found.asks]


@pytest.mark.parametrize(
    ("constraint", "asked"),
    [
        ("sh:minCount 1 ; sh:maxCount 1", ["exactly one"]),
        ("sh:minCount 2 ; sh:maxCount 4", ["2 to 4"]),
        ("sh:minCount 0 ; sh:maxCount 1", ["at most one"]),
        ("sh:minCount 1", ["at least one"]),
        ("sh:minCount 0", []),
        ("sh:maxCount 0", ["none"]),
        ("sh:class ex:C", ["of class ex:C"]),
        ("sh:nodeKind sh:IRI", ["an IRI"]),
        ("sh:minInclusive 0 ; sh:maxExclusive 5", ["0 or more", "less than 5"]),
        ("sh:minLength 2", ["2 characters or more"]),
        ('sh:pattern "^a$"', ["of the form ^a$"]),
        ('sh:languageIn ( "en" "de" )', ["in a language among en, de"]),
        ("sh:uniqueLang true", ["one for each language"]),
        ("sh:lessThanOrEquals ex:q", ["at most ex:q"]),
        ("sh:in ( ex:a ex:b )", ["one of ex:a, ex:b"]),
        ("sh:hasValue ex:a", ["ex:a is among them"]),
        ("sh:node ex:t", ["fits ex:t"]),
        ("sh:not [ sh:class ex:C ]", ["not: of class ex:C"]),
        ("sh:or ( [ sh:class ex:C ] ex:t )", ["either of class ex:C, or ex:t"]),
        ("sh:closed true ; sh:ignoredProperties ( ex:q )", ["no other property but ex:q"]),
        (
            "sh:qualifiedValueShape ex:t ; sh:qualifiedMinCount 1",
            ["at least one of them: ex:t"],
        ),
        (
            "sh:node [ sh:property [ sh:path ex:q ; sh:minCount 1 ] ]",
            ["fits ex:q: at least one"],
        ),
        ("sh:js ex:f", ["w3:ns/shacl#js ex:f"]),
    ],
)
def test_a_constraint_reads_as(constraint: str, asked: list[str]) -> None:
    """Each of SHACL core's, and one that nobody foresaw as it is written."""
    assert words(constraint) == asked


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("( ex:p ex:q )", "ex:p / ex:q"),
        ("[ sh:inversePath ex:p ]", "inverse of ex:p"),
        ("[ sh:alternativePath ( ex:p ex:q ) ]", "ex:p or ex:q"),
        ("[ sh:zeroOrMorePath ex:p ]", "any number of ex:p"),
        ("[ sh:zeroOrOnePath [ sh:inversePath ex:p ] ]", "inverse of ex:p, if any"),
    ],
)
def test_a_path_reads_as(path: str, said: str) -> None:
    """Section 2.3.1 of SHACL."""
    found = read(f"ex:s a sh:PropertyShape ; sh:path {path} .")["ex:s"]
    assert constraints.plain(found.path) == said


def test_targets_users_and_severities() -> None:
    """A class that is a shape, an unnamed shape in between, Violation when nothing is said."""
    found = read(
        """ex:C a owl:Class, sh:NodeShape ; sh:property [ sh:path ex:p ; sh:node ex:t ] .
        ex:t a sh:NodeShape ; sh:severity sh:Warning ; sh:deactivated true .
        ex:u sh:targetObjectsOf ex:p ."""
    )
    assert found["ex:C"].targets == (("class", "ex:C"),)
    assert found["ex:u"].targets == (("objects of", "ex:p"),)
    assert found["ex:t"].used_by == ("ex:C",)
    assert [(found[n].severity, found[n].off) for n in ("ex:C", "ex:t")] == [
        ("Violation", False),
        ("Warning", True),
    ]


def test_a_circle_of_unnamed_shapes_ends() -> None:
    """Nobody writes one, but a reader must not hang."""
    found = read("_:a sh:not _:b . _:b sh:not _:a . ex:s a sh:NodeShape ; sh:not _:a .")
    assert constraints.plain(found["ex:s"].asks[0]).endswith("…")


def test_every_rule_of_the_lighthouses_is_told(lights: Corpus) -> None:
    """Named and unnamed property shapes, with their messages."""
    facts = [f.triple for file in lights.files if file.room == "shapes" for f in file.facts]
    found = constraints.read(facts)
    messages = {m for shape in found.aimed for rule in shape.properties for m in rule.messages}
    assert found.rules == 7
    assert "a sighting has one verdict" in messages
    assert len(constraints.below(facts, "http://example.org/lights/shape/Sighting")) > 20
