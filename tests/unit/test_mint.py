"""Minting: numbers are never used again, sources are named the same by everybody."""

from pathlib import Path

import pytest

from publisher import check, corpus, mint
from publisher.corpus import Corpus
from publisher.errors import UsageError


def test_the_next_number_is_free_over_all_kinds(lights: Corpus) -> None:
    """One above the highest, also when that one is of another kind."""
    minted = mint.concept(lights, "light", "Cliff Édge's end")
    assert minted.path == "data/lights/0011-cliff-edges-end.ttl"
    assert minted.iri == "http://example.org/lights/LGT_0011"


def test_a_skeleton_is_canonical_and_the_check_says_what_is_missing(copy: Path) -> None:
    """It lacks only what a person must write."""
    minted = mint.concept(corpus.read(copy), "light", "Cliff Edge")
    (copy / minted.path).write_text(minted.text)
    report = check.judge(corpus.read(copy), processes=1)
    assert {f.rule for f in report.findings} == {"shape:Light-definition"}


def test_a_name_in_use_is_refused(lights: Corpus) -> None:
    """Synonyms too: it is there already."""
    for label in ("grey point", "The Candle"):
        with pytest.raises(UsageError, match="already"):
            mint.concept(lights, "light", label)


def test_an_unknown_kind_lists_the_known_ones(lights: Corpus) -> None:
    """So that nobody has to look them up."""
    with pytest.raises(UsageError) as caught:
        mint.concept(lights, "lite", "x")
    assert caught.value.fix == "one of light, lamp"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (["978-0-00-000005-7"], "isbn-978-0-00-000005-7"),
        (["10.1000/X(1)2"], "doi-10.1000-x-1-2"),
        (["https://doi.org/10.1000/x"], "doi-10.1000-x"),
        (["doi:10.1000/x"], "doi-10.1000-x"),
        (["10.1000/x", "978-0-00-000005-7"], "isbn-978-0-00-000005-7"),
    ],
)
def test_a_source_is_named_after_its_first_identifier(
    lights: Corpus, given: list[str], path: str
) -> None:
    """In the order of the graph's table, however it was written."""
    minted = mint.source(lights, given)
    assert minted.path == f"data/sources/{path}.ttl"
    assert minted.text.count("lv:isbn") + minted.text.count("lv:doi") == len(given)


@pytest.mark.parametrize(
    ("given", "what"),
    [("978-0-00-000001-9", "in the graph already"), ("12", "no identifier"), ("10.1/x", "no id")],
)
def test_a_source_that_is_known_or_nonsense_is_refused(
    lights: Corpus, given: str, what: str
) -> None:
    """Before a file is written."""
    with pytest.raises(UsageError, match=what):
        mint.source(lights, [given])
