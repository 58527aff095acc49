"""The graph's own checks: each finds what it is for, and leaves what is right alone."""

import pyoxigraph as ox
import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "ontology/checks"
HEAD = (
    "@prefix nmo: <https://w3id.org/neuromod/ontology#> ."
    " @prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix : <urn:> . "
)
ARMS = (
    " :r nmo:hasEstimate :e , :a , :b ."
    " :a nmo:arm nmo:ArmIntervention ; nmo:estimateKind nmo:EstimateMean ; nmo:value 3 ."
    " :b nmo:arm nmo:ArmComparator ; nmo:estimateKind nmo:EstimateMean ; nmo:value 5 ."
    " :e nmo:arm nmo:ArmContrast ; nmo:estimateKind nmo:EstimateMeanDifference ; nmo:value "
)
TEST = (
    ":e nmo:estimateKind nmo:EstimateHazardRatio ; nmo:arm nmo:ArmContrast ; nmo:pRelation"
    " nmo:PEquals ; nmo:intervalKind nmo:IntervalConfidence ; nmo:intervalLevel 95 ; nmo:low 0.5 ;"
)
SHARE = (
    ":e nmo:estimateKind nmo:EstimateProportion ; nmo:numerator 26 ; nmo:denominator 44 ; nmo:value"
)
# name, what must be found, what must not
CASES = [
    ("value-inside-interval", ":e nmo:low 1 ; nmo:high 2 ; nmo:value 3 .",
     ":e nmo:low 1 ; nmo:high 2 ; nmo:value 1.5 ."),
    ("count-within-denominator", ":e nmo:numerator 9 ; nmo:denominator 8 .",
     ":e nmo:numerator 8 ; nmo:denominator 8 ."),
    ("count-within-denominator", ":p nmo:enrolled 20 ; nmo:analysed 21 .",
     ":p nmo:enrolled 21 ; nmo:analysed 20 ."),
    ("share-is-the-count", SHARE + " 63.6 .", SHARE + " 59.1 ."),
    ("share-is-the-count", SHARE + " 63.6 .",
     SHARE + ' 63.6 . :r nmo:hasEstimate :e ; skos:editorialNote "as printed" .'),
    ("level-has-a-kind", ":e nmo:intervalLevel 95 .",
     ":e nmo:intervalLevel 95 ; nmo:intervalKind nmo:IntervalConfidence ."),
    ("test-agrees-with-interval", TEST + " nmo:high 1.4 ; nmo:pValue 0.01 .",
     TEST + " nmo:high 1.4 ; nmo:pValue 0.3 ."),
    ("test-agrees-with-interval", TEST + " nmo:high 0.9 ; nmo:pValue 0.3 .",
     TEST + " nmo:high 0.9 ; nmo:pValue 0.01 ."),
    ("contrast-agrees-with-arms", ARMS + "2 .", ARMS + "-2 ."),
    ("contrast-agrees-with-arms", ARMS + "2 .", ARMS + '2 ; skos:editorialNote "turned" .'),
    ("hazard-stands-alone",
     ":r nmo:betterDirection nmo:BetterHigher ; nmo:hasEstimate :e , :a ."
     " :e nmo:estimateKind nmo:EstimateHazardRatio . :a nmo:estimateKind nmo:EstimateMedian .",
     ":r nmo:betterDirection nmo:BetterLower ; nmo:hasEstimate :e ."
     " :e nmo:estimateKind nmo:EstimateHazardRatio ."),
    ("support-needs-a-comparison",
     ":c nmo:claimType nmo:ClaimEffect ; nmo:stance nmo:StanceSupports ;"
     " nmo:comparator nmo:ComparatorNone .",
     ":c nmo:claimType nmo:ClaimEffect ; nmo:stance nmo:StanceNeutral ;"
     " nmo:comparator nmo:ComparatorNone ."),
    ("claim-agrees-with-result",
     ":c nmo:basedOn :r ; nmo:comparator nmo:ComparatorSham ."
     " :r nmo:comparator nmo:ComparatorOff .",
     ":c nmo:basedOn :r , :s ; nmo:comparator nmo:ComparatorSham ."
     " :r nmo:comparator nmo:ComparatorOff . :s nmo:comparator nmo:ComparatorSham ."),
]  # fmt: skip


def found(name: str, turtle: str) -> int:
    """How many findings a check has in some triples."""
    store = ox.Store()
    store.load(HEAD + turtle, format=ox.RdfFormat.TURTLE)
    rows = store.query((FOLDER / f"{name}.rq").read_text(encoding="utf-8"))
    assert isinstance(rows, ox.QuerySolutions)
    return len(list(rows))


@pytest.mark.parametrize(("name", "wrong", "right"), CASES)
def test_a_check_finds_what_it_is_for(name: str, wrong: str, right: str) -> None:
    """And nothing else."""
    assert found(name, wrong) == 1
    assert found(name, right) == 0


def test_no_check_is_without_a_case() -> None:
    """A query that finds nothing looks like a clean graph."""
    assert {path.stem for path in FOLDER.glob("*.rq")} == {name for name, _, _ in CASES}
