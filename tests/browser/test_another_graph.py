"""The same screens over another graph, which has two releases: accessible, valid, narrow enough."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, expect

from tests.browser.test_screens import RULES, axe, errors_of_html
from tests.conftest import Running, start
from tests.lights import NEW, OLD, two_releases

pytestmark = pytest.mark.browser

SCREENS = {
    "home": "/",
    "light": "/LGT_0001",
    "retired": "/LGT_0012",
    "graph": "/graph/isbn-978-0-00-000001-9",
    "search": "/search?q=lamp",
    "vocabulary": "/ontology",
    "data": "/dataset",
    "shapes": "/shapes",
    "validate": "/validate",
    "preview": "/reconcile/preview?id=LGT_0001",
    "shape": "/shape/Sighting",
    "changes": "/changes",
    "changed": f"/changes/{NEW}?kind=changed",
    "first": f"/changes/{OLD}",
    "release": f"/release/{OLD}",
    "old-vocabulary": f"/ontology/{OLD}",
}


@pytest.fixture(scope="module")
def lights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server over the newer release, the older one beside it."""
    folder = tmp_path_factory.mktemp("lights")
    running = start(two_releases(folder) / "current", folder / "log", workers=1, processes=1)
    yield running
    running.stop()


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screens_have_no_accessibility_violation(
    browser: Browser, lights: Running, width: int, scheme: str
) -> None:
    """axe finds nothing, and nothing but tables and code is wider than the window."""
    script = axe()
    context = browser.new_context(
        base_url=lights.url,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # for the injected script only
    )
    found = []
    for name, path in SCREENS.items():
        page = context.new_page()
        reply = page.goto(path)
        assert reply is not None
        assert reply.status in (200, 410), name
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        page.evaluate(script)
        result = page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(RULES)}}})")
        found += [f"{name}: {v['id']}: {v['nodes'][0]['html'][:120]}" for v in result["violations"]]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{name}: {wide} pixels wide")
        page.close()
    context.close()
    assert found == []


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "text", ["[] a <http://example.org/lights/ontology#Light> .", "@prefix a: <b:> .\n a:x !"]
)
def test_a_verdict_is_accessible_and_valid(
    browser: Browser, lights: Running, tmp_path: Path, width: int, scheme: str, text: str
) -> None:
    """The page that comes back for data with a fault, and for what cannot be read."""
    context = browser.new_context(
        base_url=lights.url,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # for the injected script only
    )
    page = context.new_page()
    page.goto("/validate")
    page.get_by_label("Turtle or JSON-LD").fill(text)
    page.get_by_role("button", name="Validate").click()
    expect(page.get_by_role("status").or_(page.get_by_role("alert"))).to_be_visible()
    page.evaluate(axe())
    result = page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(RULES)}}})")
    assert [v["id"] for v in result["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_a_file_is_validated_without_scripts(browser: Browser, lights: Running) -> None:
    """Chosen, sent, and its fault found by following the link to its line."""
    context = browser.new_context(base_url=lights.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("link", name="Validate your data").click()
    text = '[] a <http://example.org/lights/ontology#Light> ;\n <u:p> "x" .'
    file: FilePayload = {"name": "a.ttl", "mimeType": "text/turtle", "buffer": text.encode()}
    page.get_by_label("or a file").set_input_files(file)
    page.get_by_role("button", name="Validate").click()
    expect(page.get_by_role("status")).to_contain_text("do not conform: 2 violations")
    page.get_by_role("link", name="line 1", exact=True).first.click()
    expect(page.locator("#line-1")).to_be_visible()
    context.close()


def test_screens_are_valid_html(lights: Running, tmp_path: Path) -> None:
    """The Nu validator has no error on any screen."""
    assert errors_of_html(lights, SCREENS, tmp_path) == ""
