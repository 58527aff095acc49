"""Names → entities: exact, abbreviated, by identifier, misspelt."""

from pathlib import Path

import pytest

from publisher.search import Index
from publisher.search.words import distance, fold, identifier_forms
from tests.conftest import make_release

NMOD = "https://w3id.org/neuromod/NMOD_"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """The index of the small release."""
    release = make_release(tmp_path_factory.mktemp("search") / "release")
    return Index(release / "search.sqlite")


@pytest.mark.parametrize(
    "typed",
    [
        "spinal cord stimulation",
        "SCS",
        "Spinal  Cord-Stimulation",
        "stimulation spinal",
        "NMOD:0000001",
    ],
)
def test_thing_is_found_first_by_any_of_its_names(index: Index, typed: str) -> None:
    """Case, punctuation and the order of words do not matter; identifiers count as names."""
    assert index.find(typed).hits[0].iri == NMOD + "0000001"


def test_misspelt_word_is_corrected_and_said(index: Index) -> None:
    """What was read instead is told, so that nobody takes it for what was typed."""
    found = index.find("spinal cord stimulaton")
    assert found.hits[0].iri == NMOD + "0000001"
    assert found.instead == "spinal cord stimulation"


def test_retired_thing_is_listed_as_such(index: Index) -> None:
    """A retired name still leads somewhere."""
    hit = index.find("old therapy").hits[0]
    assert (hit.iri, hit.retired) == (NMOD + "0000002", True)


@pytest.mark.parametrize("typed", ["", "   ", "*", '"', "' OR 1=1 --", "\0", "NEAR(", "a" * 10_000])
def test_odd_text_finds_nothing_worse_than_nothing(index: Index, typed: str) -> None:
    """No text is taken for the index's own query language."""
    assert index.find(typed).total >= 0


def test_labels_come_for_known_iris_only(index: Index) -> None:
    """An IRI that the release does not speak of has no label."""
    known = index.known([NMOD + "0000001", "http://example.org/unknown"])
    assert {iri: found.label for iri, found in known.items()} == {
        NMOD + "0000001": "spinal cord stimulation"
    }


def test_two_builds_give_one_file(tmp_path: Path) -> None:
    """The same release gives the same bytes."""
    one = make_release(tmp_path / "one") / "search.sqlite"
    other = make_release(tmp_path / "other") / "search.sqlite"
    assert one.read_bytes() == other.read_bytes()


def test_swap_of_neighbours_is_one_edit() -> None:
    """The commonest slip counts once; more than asked for is only said to be more."""
    assert distance("brian", "brain", 2) == 1
    assert distance("stimulation", "medication", 2) == 3


def test_folding_forgets_case_accents_and_marks() -> None:
    """Two spellings of one name fold to one."""
    assert fold("Ménière’s Disease") == fold("menieres disease")


def test_identifier_is_read_with_and_without_its_scheme() -> None:
    """People paste DOIs as links and PMIDs with a word before them."""
    assert "10.1111/ner.12208" in identifier_forms("https://doi.org/10.1111/ner.12208")
    assert "25112889" in identifier_forms("PMID 25112889")
