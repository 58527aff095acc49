"""A real browser (headless Chromium) at a real server over a release of this checkout's graph."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from publisher import build, corpus
from publisher.check.finding import Report
from tests.conftest import ROOT, Running, start

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """The machine's own Chromium; None leaves it to Playwright's."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server over a release of the graph of this checkout."""
    folder = tmp_path_factory.mktemp("site")
    made = build.build(corpus.read(ROOT), Report(()), folder / "releases")
    running = start(made, folder / "log", workers=2, processes=1)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        known = executable()
        bundled = Path(playwright.chromium.executable_path)
        if known is None and not bundled.exists():
            pytest.skip("no Chromium here: on Debian, apt-get install chromium")
        opened = playwright.chromium.launch(executable_path=known, args=FLAGS)
        yield opened
        opened.close()


class Watched:
    """A context that remembers what its pages asked other hosts, and what they complained of."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.context = context
        self.strangers: list[str] = []
        self.complaints: list[str] = []
        self.home = home
        context.on("request", lambda request: self._asked(request.url))
        context.on("console", lambda message: self._said(message.type, message.text))

    def _asked(self, url: str) -> None:
        if not url.startswith((self.home, "data:", "blob:")):
            self.strangers.append(url)

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(text)


@pytest.fixture
def watched(browser: Browser, site: Running) -> Iterator[Watched]:
    """A fresh context; nothing may be asked of another host, and no policy broken."""
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900})
    watched = Watched(context, site.url)
    yield watched
    context.close()
    assert watched.strangers == []
    assert watched.complaints == []


@pytest.fixture
def page(watched: Watched) -> Page:
    """A page of such a context."""
    return watched.context.new_page()


@pytest.fixture
def plain_page(browser: Browser, site: Running) -> Iterator[Page]:
    """A page of a browser that runs no scripts."""
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    yield context.new_page()
    context.close()
