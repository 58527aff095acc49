"""What a panel shows is what its query answers."""

import json
import re
from html import unescape

import pytest

from tests.browser.test_screens import SCREENS
from tests.conftest import Running

ASKED = re.compile(
    r'<details class="asked">.*?<span class="count">(more than )?([\d\u202f]+) rows?</span>'
    r".*?<textarea[^>]*>\n(.*?)</textarea>",
    re.S,
)
PAGES = {
    **{name: SCREENS[name] for name in ("pair", "pair-without-claims", "therapy", "condition")},
    **{name: SCREENS[name] for name in ("device", "target", "outcome", "event", "drug")},
    **{name: SCREENS[name] for name in ("parameter", "result", "claim", "source", "study")},
    "claim-disputed": "/claim/doi-10.1016-j.pain.2007.07.028.1",
    "source-retracted": "/source/doi-10.1371-journal.pbio.1002593",
    "drug-dosed": "/NMOD_0000335",
}


def panels(text: str) -> list[tuple[str, str, int, str, str]]:
    """Kind, name, number of rows told, query and body of every panel of a page."""
    found = []
    for part in re.split(r'(?=<section class="panel )', text)[1:]:
        head = re.match(r'<section class="panel kind-(\w+)" id="([\w-]+)">', part)
        asked = ASKED.search(part)
        if head and asked:
            assert not asked[1], "the pages of this test have panels whose rows are all counted"
            count = int(asked[2].replace("\u202f", ""))
            found.append((head[1], head[2], count, unescape(asked[3]), part))
    return found


def rows_of(site: Running, query: str) -> int:
    """How many rows the endpoint answers."""
    reply = site.query(query, accept="application/sparql-results+json")
    assert reply.status == 200, query
    return len(json.loads(reply.body)["results"]["bindings"])


@pytest.mark.parametrize("name", PAGES)
def test_query_behind_a_panel_has_as_many_rows_as_the_panel_tells(site: Running, name: str) -> None:
    """Every panel offers its query, and the endpoint answers it with the rows that are shown."""
    reply = site.get(PAGES[name], accept="text/html")
    assert reply.status == 200
    text = reply.body.decode()
    shown = re.findall(r'<section class="panel kind-\w+" id="([\w-]+)">', text)
    found = panels(text)
    assert [panel for _, panel, *_ in found] == shown
    told = {panel: count for _, panel, count, _, _ in found}
    assert {panel: rows_of(site, query) for _, panel, _, query, _ in found} == told
    for kind, panel, count, _, body in found:
        if kind in ("table", "harms", "map") and 'class="pager"' not in body:
            assert len(re.findall(r"<tr>", body)) - 1 == count, panel
