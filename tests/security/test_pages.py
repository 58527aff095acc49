"""Hostile literals and IRIs in the data are shown harmlessly on every page that shows them."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox
import pytest
from werkzeug.test import Client

from publisher import search
from publisher.web import create_app
from tests.conftest import BASE, NMO, SKOS, make_release

SCRIPT = "<script>alert(1)</script>\"'--><img src=x onerror=alert(2)>"
TURNED = "safe \u202egnirts desrever\u202c \u2067rtl\u2069"
THING = BASE + "NMOD_0000009"


class Marked(HTMLParser):
    """Collects what could run: scripts, handlers, addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.handlers: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Every element as the browser would see it."""
        found = dict(attrs)
        if tag == "script":
            self.scripts.append(found)
        self.handlers += [name for name in found if name.startswith("on") or name == "style"]
        self.addresses += [found[n] or "" for n in ("href", "src", "action") if n in found]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The site over a release in which a thing says all that is hostile."""
    folder = make_release(tmp_path_factory.mktemp("hostile") / "release")
    store = ox.Store(str(folder / "store"))
    thing, graph = ox.NamedNode(THING), ox.NamedNode(BASE + "graph/concepts")
    said: list[tuple[str, ox.NamedNode | ox.Literal]] = [
        ("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", ox.NamedNode(NMO + "Therapy")),
        (SKOS + "prefLabel", ox.Literal(SCRIPT, language="en")),
        (SKOS + "definition", ox.Literal("x" * 1_000_000)),
        (SKOS + "altLabel", ox.Literal(TURNED)),
        (SKOS + "scopeNote", ox.Literal("</script><script>alert(3)</script>")),
        ("http://xmlns.com/foaf/0.1/page", ox.NamedNode("javascript:alert(4)")),
        ("http://xmlns.com/foaf/0.1/page", ox.NamedNode("data:text/html,alert(5)")),
        (NMO + "doi", ox.Literal('10.1/"><script>alert(6)</script>')),
        ("http://example.org/p?q='", ox.NamedNode("http://example.org/o%3Cscript%3E?a='b'")),
    ]
    for predicate, value in said:
        for name in (graph, ox.DefaultGraph()):
            store.add(ox.Quad(thing, ox.NamedNode(predicate), value, name))
    store.flush()
    del store
    search.build(folder, ox.Store.read_only(str(folder / "store")))
    app = create_app(folder)
    yield app.test_client()
    app.extensions["publisher"].engine.close()


PAGES = (
    "/NMOD_0000009",
    f"/search?q={quote(SCRIPT)}",
    f"/search?q={quote('alert')}",
    f"/search?kind={quote(SCRIPT)}",
    f"/query?query={quote('SELECT * { ' + SCRIPT)}",
    f"/query?query={quote('SELECT ?o { <' + THING + '> ?p ?o } LIMIT 20')}",
    f"/matrix?group={quote(SCRIPT)}&target={quote(SCRIPT)}&within={quote(SCRIPT)}",
    f"/mappings?vocabulary={quote(SCRIPT)}",
    f"/pair?row={quote(SCRIPT)}&column=NMOD:0000001",
    f"/{quote(SCRIPT)}",
    f"/matrix?stance={quote(SCRIPT)}",
)


@pytest.mark.parametrize("path", PAGES)
def test_page_runs_nothing_that_the_data_or_the_address_say(client: Client, path: str) -> None:
    """Own scripts by address only, one data block, no handlers, no address that would run."""
    reply = client.get(path, headers={"Accept": "text/html"})
    assert reply.status_code in (200, 400, 404)
    marked = Marked()
    marked.feed(reply.get_data(as_text=True))
    for script in marked.scripts:
        own = (script.get("src") or "").startswith("/static/")
        assert own or script.get("type") == "application/ld+json"
    assert marked.handlers == []
    for address in marked.addresses:
        assert not address.lower().startswith(("javascript:", "data:", "vbscript:"))


def test_long_text_is_shown_in_part_and_says_so(client: Client) -> None:
    """A literal of a megabyte does not make a page of a megabyte."""
    reply = client.get("/NMOD_0000009", headers={"Accept": "text/html"})
    text = reply.get_data(as_text=True)
    assert "the first part of 1\u202f000\u202f000 characters" in text
    assert len(text) < 200_000


def test_turned_text_stays_in_its_own_box(client: Client) -> None:
    """Text that changes direction is isolated from the page around it."""
    text = client.get("/NMOD_0000009", headers={"Accept": "text/html"}).get_data(as_text=True)
    assert f'<bdi class="text">{TURNED}</bdi>' in text


def test_spreadsheet_takes_no_cell_for_a_formula(client: Client, tmp_path: Path) -> None:
    """A CSV of the map has no cell that begins like a formula."""
    text = client.get("/matrix.csv").get_data(as_text=True)
    (tmp_path / "view.csv").write_text(text, encoding="utf-8")
    assert not any(
        cell.startswith(("=", "+", "@")) for line in text.splitlines() for cell in line.split(",")
    )


NUMBERED = (
    "/search?q=pain&page={}",
    "/search?q=pain&format=json&limit={0}&offset={0}",
    "/search?kind=nmo:Therapy&page={}",
    "/autocomplete?q=pain&limit={}",
    "/mappings?vocabulary=mondo&page={}",
    "/matrix?since={0}&until={0}",
    "/NMOD_0000001?in={0}&map={0}&mappings={0}&therapy-harms={0}",
    "/pair?row=NMOD:0000003&column=NMOD:0000001&claims={}",
    "/sitemap.xml?part={}",
    "/changes?page={}",
    "/reconcile/suggest/entity?prefix=p&cursor={}",
    "/reconcile/properties?type=nmo:Therapy&limit={}",
)
ODD = ("²", "٣", "-1", "0", "1e9", "0x1", " 2", "9" * 30, "9" * 5000, "1.5", "\x00", "NaN", "")


@pytest.mark.parametrize("path", NUMBERED)
def test_odd_numbers_in_an_address_hurt_nobody(client: Client, path: str) -> None:
    """What `int` chokes on, or reads in its own way, is no number: nowhere a fault of ours."""
    for number in ODD:
        reply = client.get(path.format(quote(number)), headers={"Accept": "text/html"})
        assert reply.status_code < 500, number
