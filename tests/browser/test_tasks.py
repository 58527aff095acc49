"""What people come for, done in a browser by what they see on the page."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

SCS, FBSS = "spinal cord stimulation", "failed back surgery syndrome"


def test_disputes_of_a_pair_are_three_clicks_from_home(page: Page) -> None:
    """Home, the map, the cell: there stands what disputes it, narrower therapies marked as such."""
    page.goto("/")
    page.get_by_role("link", name="Open the whole map").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=FBSS, exact=True))
    row.get_by_role("link", name=re.compile(r"dispute")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{SCS} for {FBSS}")
    against = page.locator("#pair-claims").get_by_role("region", name=re.compile("^Disputes"))
    expect(against.get_by_role("link", name="burst spinal cord stimulation").first).to_be_visible()
    expect(against).to_contain_text("(narrower)")
    expect(against).to_contain_text("9.3 in placebo periods")


def test_pair_shows_what_is_near_it_and_says_so(page: Page) -> None:
    """A review of a related condition stands on the pair's page, apart and marked."""
    page.goto("/proposition/0000012-0000104")
    near = page.locator("#pair-near")
    review = near.locator(".bundle").filter(has_text="Traeger").first
    expect(review).to_contain_text("chronic low back pain (related)")
    expect(page.locator("#pair-claims")).not_to_contain_text("Traeger")
    expect(near.locator(".bundle").filter(has_text="chronic pain (broader)").first).to_be_visible()


def test_map_tells_none_recorded_from_not_looked_for(page: Page) -> None:
    """Both are in the legend and in the cells, and the page of such a pair says which it is."""
    page.goto("/matrix")
    legend = page.get_by_role("group", name="Legend")
    expect(legend).to_contain_text("none recorded")
    expect(legend).to_contain_text("not looked for")
    row = page.get_by_role("row").filter(
        has=page.get_by_role("rowheader", name="complex regional pain syndrome", exact=True)
    )
    expect(row.get_by_role("cell", name="not looked for").first).to_be_attached()
    row.get_by_role("link", name="none recorded").first.click()
    expect(page.locator(".verdict")).to_contain_text("None recorded")
    page.goto("/pair?row=NMOD:0000104&column=NMOD:0000105")
    expect(page.locator(".verdict")).to_contain_text("Not looked for")
    page.get_by_role("link", name="What was looked for").click()
    expect(page.locator("#absence")).to_contain_text("No database was searched exhaustively")


def test_map_is_filtered_to_randomised_trials_and_downloaded(page: Page, tmp_path: Path) -> None:
    """The file holds what the view shows, and says its date and filter in its name."""
    page.goto("/matrix")
    everything = int(page.locator(".found strong").inner_text())
    page.get_by_label("Study design").select_option("randomised")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"design=randomised"))
    shown = int(page.locator(".found strong").inner_text())
    assert 0 < shown < everything
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV").click()
    file = waiting.value
    assert re.search(r"evidence-map-\d{4}-\d\d-\d\d-.*randomised.*\.csv$", file.suggested_filename)
    file.save_as(tmp_path / "view.csv")
    text = (tmp_path / "view.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == shown
    assert all(row["best_design"].startswith("randomised") for row in rows)


def test_stored_query_is_run_changed_and_its_error_shown_at_its_place(page: Page) -> None:
    """From the list of questions to the answer, then a slip at the end is pointed at."""
    page.goto("/queries")
    page.locator(".question h3 a").nth(3).click()
    expect(page.locator("#answer table tbody tr").first).to_be_visible()
    editor = page.locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" oops", delay=20)
    page.get_by_role("button", name="Run").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(re.compile(r"line [2-9]"))
    expect(alert.locator("mark")).to_be_visible()


def test_answer_is_downloaded(page: Page) -> None:
    """The rows of an answer as CSV, with the release in the name of the file."""
    page.goto("/query?query=SELECT+%3Fs+%7B+%3Fs+a+%3Fkind+%7D+LIMIT+3")
    with page.expect_download() as waiting:
        page.locator("#answer").get_by_role("link", name="CSV").click()
    file = waiting.value
    assert re.search(r"-answer-\d{4}-\d\d-\d\d\.csv$", file.suggested_filename)
    assert len(Path(file.path()).read_text("utf-8").splitlines()) == 4


def test_query_that_ends_too_early_is_told_so(page: Page) -> None:
    """Not with the list of all that the parser would have liked."""
    page.goto("/query?query=SELECT+*+%7B+%3Fs+%3Fp")
    expect(page.get_by_role("alert")).to_contain_text("the query ends before it is complete")


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("FBSS", FBSS),
        ("10.1001/jama.2022.18231", "Sozaburo Hara"),
        ("vagus nerve stimulaton", "vagus nerve stimulation"),
    ],
    ids=["abbreviation", "doi", "misspelt"],
)
def test_concept_is_found_by(page: Page, typed: str, label: str) -> None:
    """An abbreviation, a DOI and a misspelt name lead to the thing first."""
    page.goto("/")
    page.get_by_role("searchbox").or_(page.get_by_role("combobox")).first.fill(typed)
    page.keyboard.press("Enter")
    expect(page.locator(".hits li").first).to_contain_text(label)


def test_suggestions_are_chosen_by_keyboard(page: Page) -> None:
    """Arrow down and Enter open the suggested thing."""
    page.goto("/")
    page.get_by_role("combobox").fill("spinal cord stim")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(SCS)


def test_tasks_work_without_scripts(plain_page: Page) -> None:
    """The same ways, with scripts off."""
    page = plain_page
    page.goto("/")
    page.get_by_role("link", name="Evidence map").first.click()
    page.get_by_label("Direction").select_option("contested")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("td.cell a").first).to_be_visible()
    page.goto("/search")
    page.get_by_role("searchbox").fill("SCS")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".hits li").first).to_contain_text(SCS)
    page.goto("/query")
    page.get_by_label("SPARQL query").fill("SELECT ?s { ?s ?p ?o } LIMIT 2")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer tbody tr")).to_have_count(2)


def test_map_column_opens_into_narrower_therapies(page: Page) -> None:
    """Following the head of a column shows what is beneath it."""
    page.goto("/matrix")
    page.locator(f'thead a[title^="{SCS}"]').click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(SCS)
    expect(page.locator('thead a[title^="burst spinal cord stimulation"]')).to_be_visible()
