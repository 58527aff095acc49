"""Under a path of its own (`prefix`), every link, asset and form stays there and works."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watched
from tests.browser.test_screens import SCREENS
from tests.conftest import Running, start

pytestmark = pytest.mark.browser

MOUNT = "/kg"
ADDRESSES = """() => [
  ...[...document.querySelectorAll("a[href], link[href]")].map((e) => e.href.baseVal ?? e.href),
  ...[...document.querySelectorAll("script[src]")].map((e) => e.src),
  ...[...document.querySelectorAll("form")].map((e) => e.action),
  ...[...document.querySelectorAll("[data-suggest]")].map((e) => e.dataset.suggest),
  ...[...document.querySelectorAll("[data-terms]")].map((e) => e.dataset.terms),
].map((address) => new URL(address, location).href)"""


@pytest.fixture(scope="module")
def mounted(site: Running) -> Iterator[Running]:
    """A second server over the same release, mounted under a path."""
    running = start(site.release, site.log.with_name("mounted.log"), prefix=MOUNT, processes=1)
    yield running
    running.stop()


@pytest.fixture
def page(browser: Browser, mounted: Running) -> Iterator[Page]:
    """A page that may ask nothing but this host, and breaks no policy."""
    context = browser.new_context(base_url=mounted.url, viewport={"width": 1280, "height": 900})
    watched = Watched(context, mounted.url)
    yield context.new_page()
    context.close()
    assert watched.strangers == []
    assert watched.complaints == []


def shape_of(address: str) -> str:
    """Addresses of one shape are answered by one handler: digits and names are left out."""
    parts = urlsplit(address)
    names = sorted(field.partition("=")[0] for field in parts.query.split("&") if field)
    path = re.sub(r"(?<=/)(NMOD_\d+|[^/]*\d[^/]*?)(?=(\.\w+)?$)", "*", parts.path)
    return f"{path}?{'&'.join(names)}"


def test_every_address_of_every_screen_stays_under_the_mount_and_is_answered(
    page: Page, mounted: Running
) -> None:
    """Nothing leads out of the mount, and of each shape of address one is asked."""
    own: dict[str, str] = {}
    out = set()
    for name, path in SCREENS.items():
        page.goto(MOUNT + path)
        for address in page.evaluate(ADDRESSES):
            if address.startswith(mounted.url):
                inside = address.removeprefix(mounted.url)
                if not inside.startswith((f"{MOUNT}/", f"{MOUNT}?")):
                    out.add(f"{name}: {inside}")
                own.setdefault(shape_of(inside), inside.partition("#")[0])
    assert out == set()
    assert len(own) > 100
    wrong = {}
    for address in own.values():
        if address.partition("?")[0] != MOUNT + SCREENS["missing"]:
            reply = mounted.get(urljoin("/", address), accept="text/html,*/*;q=0.5")
            if reply.status >= 400:
                wrong[address] = reply.status
    assert {a: s for a, s in wrong.items() if s not in (400, 410)} == {}


def test_forms_work_under_the_mount(page: Page, mounted: Running) -> None:
    """Search with a suggestion, the map's filter, a query: each leads to where it should."""
    page.goto(f"{MOUNT}/")
    page.get_by_role("combobox").fill("spinal cord stim")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("spinal cord stimulation")
    assert page.url.startswith(f"{mounted.url}{MOUNT}/NMOD_")
    page.goto(f"{MOUNT}/matrix")
    page.get_by_label("Study design").select_option("randomised")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(rf"{MOUNT}/matrix\?.*design=randomised"))
    page.locator("td.cell a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(" for ")
    page.goto(f"{MOUNT}/query?query=ASK+%7B+%3Fs+%3Fp+%3Fo+%7D")
    expect(page.locator("#answer")).to_contain_text("Yes")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer")).to_contain_text("Yes")
