"""Content negotiation after RFC 9110."""

from pathlib import Path

import pytest

from publisher.formats import BY_NAME, GRAPHS, negotiate, parse_accept

CASES = [
    tuple(part.strip() for part in line.split(" | "))
    for line in (Path(__file__).parent / "accept.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize(("accept", "offered", "chosen"), CASES)
def test_the_most_specific_range_decides_and_q_zero_excludes(
    accept: str, offered: str, chosen: str
) -> None:
    """Each line of accept.txt is a header, what is offered, and what must be chosen."""
    found = negotiate(accept, [BY_NAME[name] for name in offered.split()])
    assert (found.format.name if found else "-") == chosen


def test_the_name_that_was_asked_for_is_the_name_of_the_answer() -> None:
    """Who accepts application/json only must not get another media type."""
    found = negotiate("application/json", GRAPHS)
    assert found is not None
    assert (found.format.name, found.content_type) == ("jsonld", "application/json")


def test_text_says_its_charset_under_every_name() -> None:
    """Without it, a client takes text/* for Latin-1."""
    for accept in ("text/turtle", "text/plain", "text/xml", "text/rdf", "text/x-nquads"):
        found = negotiate(accept, GRAPHS)
        assert found is not None
        assert found.content_type == f"{accept}; charset=utf-8"


def test_a_wildcard_never_picks_an_alias() -> None:
    """`*/*` gets the registered media type."""
    found = negotiate("application/*", (BY_NAME["jsonld"],))
    assert found is not None
    assert found.media_type == "application/ld+json"


@pytest.mark.parametrize(
    "header", ["a/b;" * 2000, '"' * 8000, "," * 8000, ("a/b;x=" + '"' * 50) * 99]
)
def test_no_header_takes_long_to_read(header: str) -> None:
    """Reading is linear, whatever is sent."""
    parse_accept(header)
