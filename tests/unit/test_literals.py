"""Values: one spelling each."""

from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.turtle.literals import canonical, survives

XSD = "http://www.w3.org/2001/XMLSchema#"
CASES = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "literals.tsv").read_text(encoding="utf-8").splitlines()
]


def stored(text: str, datatype: str) -> tuple[str, str]:
    """What Oxigraph hands back for a literal."""
    store = ox.Store()
    literal = ox.Literal(text, datatype=ox.NamedNode(XSD + datatype))
    store.add(ox.Quad(ox.NamedNode("a:a"), ox.NamedNode("a:b"), literal))
    found = next(iter(store)).object
    assert isinstance(found, ox.Literal)
    return found.value, found.datatype.value.removeprefix(XSD)


@pytest.mark.parametrize(("datatype", "text", "wanted"), CASES)
def test_the_canonical_spelling(datatype: str, text: str, wanted: str) -> None:
    """A table of spellings; `-` is no value at all."""
    assert canonical(text, XSD + datatype) == (None if wanted == "-" else wanted)


@pytest.mark.parametrize(("datatype", "text", "wanted"), CASES)
def test_what_survives_comes_back_unchanged(datatype: str, text: str, wanted: str) -> None:
    """The checker's promise, tried on the engine."""
    if survives(text, XSD + datatype):
        assert stored(text, datatype) == (text, datatype)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_decimals_survive(number: object) -> None:
    """Any decimal, once canonical, is what the engine gives back."""
    found = canonical(f"{number:f}", XSD + "decimal")
    assert found is not None
    if len(found) < 18:  # Oxigraph's decimals have 18 digits
        assert stored(found, "decimal")[0] == found


@given(
    st.from_regex(r"-?P([0-9]{1,3}Y)?([0-9]{1,2}M)?([0-9]{1,3}D)?(T[0-9]{1,2}H)?", fullmatch=True)
)
def test_durations_survive(text: str) -> None:
    """Any duration, once canonical, is what the engine gives back."""
    found = canonical(text, XSD + "duration")
    if found is not None:
        assert canonical(found, XSD + "duration") == found
        assert stored(found, "duration")[0] == found
