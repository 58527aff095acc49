"""What people type first: a therapy and a condition, in whatever words."""

import pytest

from publisher.search import Index
from tests.conftest import Running


@pytest.fixture(scope="module")
def index(graph_server: Running) -> Index:
    """The index of this graph's release."""
    return Index(graph_server.release / "search.sqlite")


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("SCS FBSS", "spinal cord stimulation for failed back surgery syndrome"),
        ("VNS epilepsy", "vagus nerve stimulation for drug-resistant epilepsy"),
        ("sacral nerve stimulation faecal incontinence", "sacral neuromodulation for fecal"),
        ("PTNS overactive bladder", "percutaneous tibial nerve stimulation for overactive bladder"),
        ("hypoglossal sleep apnoea", "hypoglossal nerve stimulation"),
    ],
)
def test_a_pair_is_found_by_any_name_of_its_ends(index: Index, typed: str, label: str) -> None:
    """Abbreviations, synonyms and either spelling lead to where both sides stand, first."""
    assert index.find(typed).hits[0].label.startswith(label)


def test_a_pair_is_found_by_what_is_broader(index: Index) -> None:
    """Whoever asks for magnetic stimulation in depression means the repetitive kind as well."""
    found = [hit.label for hit in index.find("TMS depression").hits]
    assert (
        "repetitive transcranial magnetic stimulation for treatment-resistant depression" in found
    )


def test_one_name_alone_finds_no_pairs_by_their_ends(index: Index) -> None:
    """They would hide the thing itself and what else is called so."""
    kinds = index.find("FBSS").kinds
    assert not any(kind.endswith("TreatmentProposition") for kind in kinds)
