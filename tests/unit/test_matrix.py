"""The evidence map: what stands in a cell, and what a filter leaves."""

from dataclasses import replace

from publisher.matrix import AGAINST, FOR, MIXED, Facts, Filters, Finding, gather, view
from publisher.screens.evidence import only_contested

RANKS = {"trial": 1, "series": 9}


def finding(study: str, side: str, column: str = "burst", **more: object) -> Finding:
    """A finding on back pain."""
    known = {"design": "trial", "year": 2020, "synthesis": False, **more}
    return Finding(f"f/{study}/{column}", "back", column, study, side, **known)  # type: ignore[arg-type]


def facts(*findings: Finding) -> Facts:
    """Burst and tonic are narrower than scs, which only an umbrella is broader than."""
    return Facts(
        findings=findings,
        named={("back", "burst"): 2, ("leg", "scs"): 1},
        broader={"burst": ("scs",), "tonic": ("scs",), "scs": ("stimulation",)},
        groups={"back": ("pain",), "leg": ("pain",)},
        targets={"scs": ("cord",)},
        ranks=RANKS,
        umbrellas=frozenset({"stimulation"}),
    )


def test_narrower_columns_are_counted_under_the_broadest_that_is_no_umbrella() -> None:
    """A finding on burst stimulation stands in the column of spinal cord stimulation."""
    made = view(facts(finding("a", FOR)), Filters(), {})
    assert made.columns == ("scs",)
    assert made.cell("back", "scs").narrower == 1


def test_study_counts_once_and_is_mixed_when_its_findings_differ() -> None:
    """One study, for by burst and against by tonic, is one mixed study."""
    cell = gather(("back", "scs"), [finding("a", FOR), finding("a", AGAINST, "tonic")], RANKS)
    assert dict(cell.studies) == {MIXED: 1}


def test_cell_is_disputed_when_studies_point_both_ways() -> None:
    """Both sides stand; nothing averages them away."""
    cell = gather(("back", "scs"), [finding("a", FOR), finding("b", AGAINST)], RANKS)
    assert cell.disputed
    assert cell.tone == "for-against"


def test_syntheses_are_counted_apart_and_lend_no_design_to_studies() -> None:
    """A review is no further study, and the best design is a study's where there is one."""
    review = finding("r", FOR, synthesis=True, design="trial")
    cell = gather(("back", "scs"), [finding("a", FOR, design="series"), review], RANKS)
    assert (cell.study_count, cell.synthesis_count, cell.best) == (1, 1, "series")


def test_filtered_out_differs_from_never_looked_for() -> None:
    """A pair with evidence that a filter hides is said to be hidden."""
    found = facts(finding("a", FOR), finding("b", FOR, "tonic", design="series"))
    made = view(found, Filters(designs=frozenset({"series"})), {})
    assert made.cell("back", "scs").state == "evidence"
    assert made.cell("leg", "scs").state == "unknown"
    only = view(found, Filters(side=AGAINST, everything=True), {})
    assert only.cell("back", "scs").state == "filtered"
    assert only.cell("leg", "scs").state == "named"


def test_columns_within_one_are_its_children() -> None:
    """Opened, a column falls apart into what is directly narrower."""
    found = facts(finding("a", FOR), finding("b", FOR, "tonic"), finding("c", FOR, "scs"))
    assert set(view(found, Filters(within="scs"), {}).columns) == {"burst", "tonic", "scs"}


def test_target_is_inherited_by_what_is_narrower() -> None:
    """Burst stimulation aims where spinal cord stimulation aims."""
    assert view(facts(finding("a", FOR)), Filters(target="cord"), {}).filled
    assert not view(facts(finding("a", FOR)), Filters(target="brain"), {}).filled


def test_opposed_differs_from_not_all_one_way() -> None:
    """Support and dispute are opposed; beside a mixed study, a supporting one is not."""
    a_for, b_against, c_mixed = finding("a", FOR), finding("b", AGAINST), finding("c", MIXED)
    for findings, opposed, agreement in (
        ([a_for, b_against], True, "opposed"),
        ([a_for, c_mixed], False, "not all one way"),
        ([a_for], False, ""),
        ([c_mixed], False, ""),
    ):
        cell = gather(("back", "scs"), findings, RANKS)
        assert (cell.opposed, cell.agreement) == (opposed, agreement)


def test_contested_view_tells_what_it_leaves_out() -> None:
    """A pair that agrees, where others of its row and column do not, is filtered, not unknown."""
    back = [finding("a", FOR), finding("b", AGAINST), finding("c", FOR, "dbs")]
    leg = [replace(finding(side, side, "dbs"), row="leg") for side in (FOR, AGAINST)]
    made = only_contested(view(facts(*back, *leg), Filters(), {}), opposed=True)
    states = {pair: cell.state for pair, cell in made.cells.items()}
    assert states["back", "scs"] == states["leg", "dbs"] == "evidence"
    assert states["back", "dbs"] == "filtered"
    assert view(facts(*back), Filters(), {}).cell("back", "dbs").state == "evidence"
    assert only_contested(view(facts(*back), Filters(), {}), opposed=True).columns == ("scs",)
