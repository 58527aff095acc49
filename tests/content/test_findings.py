"""What one study says on one proposition, by the graph's own rule."""

import pyoxigraph as ox
import pytest

from tests.conftest import ROOT

NMO = "https://w3id.org/neuromod/ontology#"
SAID = """
@prefix nmo: <https://w3id.org/neuromod/ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix x: <https://w3id.org/neuromod/> .
<https://w3id.org/neuromod/study/s> nmo:design nmo:DESIGN ; rdfs:label "s"@en .
<https://w3id.org/neuromod/proposition/1-2> nmo:therapy x:t ; nmo:condition x:c .
x:t skos:prefLabel "t"@en . x:c skos:prefLabel "c"@en .
"""
CLAIM = """
x:claimN nmo:proposition <https://w3id.org/neuromod/proposition/1-2> ; nmo:statedIn x:source ;
  nmo:investigation <https://w3id.org/neuromod/study/s> ; nmo:stance nmo:StanceSupports ;
  nmo:claimType nmo:ClaimEffect ; nmo:directness nmo:DirectnessOwnData COMPARATOR .
"""


@pytest.mark.parametrize(
    ("design", "comparators", "wanted"),
    [
        ("DesignRandomisedParallel", ["Sham"], "DesignRandomisedParallel"),
        ("DesignRandomisedParallel", ["Baseline", "Sham"], "DesignRandomisedParallel"),
        ("DesignRandomisedParallel", ["Baseline"], "DesignSingleArmTrial"),
        ("DesignRandomisedCrossover", ["None", "Baseline"], "DesignSingleArmTrial"),
        ("DesignRandomisedParallel", [""], "DesignRandomisedParallel"),
        ("DesignProspectiveCohort", ["Baseline"], "DesignProspectiveCohort"),
    ],
)
def test_a_trial_read_without_its_control_is_no_controlled_trial(
    design: str, comparators: list[str], wanted: str
) -> None:
    """A randomised trial's change from baseline proves no more than one arm does."""
    text = SAID.replace("DESIGN", design)
    for number, comparator in enumerate(comparators):
        said = f"; nmo:comparator nmo:Comparator{comparator}" if comparator else ""
        text += CLAIM.replace("claimN", f"claim{number}").replace("COMPARATOR", said)
    store = ox.Store()
    store.load(text, format=ox.RdfFormat.TURTLE)
    found = store.query((ROOT / "ontology/rules/20-findings.rq").read_text(encoding="utf-8"))
    assert isinstance(found, ox.QueryTriples)
    designs = [t.object for t in found if t.predicate.value == NMO + "design"]
    assert designs == [ox.NamedNode(NMO + wanted)]
