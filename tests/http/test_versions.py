"""Releases and what they changed, as served: two releases of the lighthouses side by side."""

import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Running, start
from tests.lights import NEW, OLD, two_releases

ATOM = "{http://www.w3.org/2005/Atom}"
LIGHTS = "http://example.org/lights/"


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of both."""
    return two_releases(tmp_path_factory.mktemp("versions"))


@pytest.fixture(scope="module")
def site(releases: Path) -> Iterator[Running]:
    running = start(releases / "current", releases.parent / "log", workers=1, processes=1)
    yield running
    running.stop()


def test_changes_are_a_page(site: Running) -> None:
    """All releases; the newest one's changes with labels; markup in the data is text."""
    text = site.get("/changes", "text/html").body.decode()
    assert f'href="/release/{OLD}"' in text
    assert "Grey Point" in text
    assert "&lt;b&gt;square&lt;/b&gt;" in text
    only = site.get(f"/changes/{NEW}?kind=new", "text/html").body.decode()
    assert "ther lamp" in only
    assert "Grey Point" not in only.partition('class="diff"')[2]
    first = site.get(f"/changes/{OLD}", "text/html").body.decode()
    assert "none before it" in first


def test_changes_are_data(site: Running) -> None:
    """By Accept and by suffix; each release's own under its name."""
    for path, accept in (("/changes", "application/json"), ("/changes.json", None)):
        found: Any = site.get(path, accept).json()
        assert found["release"] == NEW
        assert [r["release"] for r in found["releases"]] == [NEW, OLD]
    own: Any = site.get(f"/changes/{NEW}.json").json()
    kinds = {c["iri"]: c["kind"] for c in own["changes"]}
    assert kinds[LIGHTS + "LGT_0001"] == "changed"
    assert kinds[LIGHTS + "LGT_0011"] == "new"
    assert site.get(f"/changes/{OLD}", "application/json").json()["previous"] is None


def test_changes_are_a_feed(site: Running) -> None:
    """RFC 4287: ids are the releases' IRIs, every entry has a date and links that answer."""
    reply = site.get("/changes.atom")
    assert (reply.status, reply.type) == (200, "application/atom+xml")
    root = ET.fromstring(reply.body)
    assert [root.findtext(ATOM + n) for n in ("id", "updated")] == [
        LIGHTS + "changes",
        f"{NEW}T00:00:00Z",
    ]
    entries = root.findall(ATOM + "entry")
    ids = [e.findtext(ATOM + "id") for e in entries]
    assert ids == [f"{LIGHTS}release/{NEW}", f"{LIGHTS}release/{OLD}"]
    assert "Grey Point" in (entries[0].findtext(ATOM + "content") or "")
    for link in root.iter(ATOM + "link"):
        address = link.attrib["href"].removeprefix(site.url)
        assert site.get(address, link.attrib["type"]).status == 200, address
    assert site.get("/changes", "application/atom+xml").body == reply.body


@pytest.mark.parametrize("version", [OLD, NEW])
def test_version_iris_resolve(site: Running, version: str) -> None:
    """The release, the vocabulary and the files, of the current release and of the one before."""
    for path in (f"/release/{version}", f"/ontology/{version}"):
        assert site.get(path, "text/html").status == 200, path
        for accept, suffix in (("text/turtle", "ttl"), ("application/n-triples", "nt")):
            asked, named = site.get(path, accept), site.get(f"{path}.{suffix}")
            assert (asked.status, asked.type) == (named.status, named.type) == (200, accept)
            assert asked.body == named.body
    said = site.get(f"/release/{version}.nt").body.decode()
    assert f"<{LIGHTS}release/{version}> <http://www.w3.org/2002/07/owl#versionInfo>" in said
    assert ("previousVersion" in said) == (version == NEW)
    assert f'"{version}"' in site.get(f"/ontology/{version}.nt").body.decode()
    assert site.get(f"/downloads/{version}/lights.nt").headers["x-release"] == version
    assert site.get(f"/downloads/{version}/").headers["location"] == f"/release/{version}"


@pytest.mark.parametrize("version", ["", f"/{OLD}", f"/{NEW}"])
def test_an_edition_can_be_imported_by_its_name(site: Running, version: str) -> None:
    """Its header names it so: by Accept and by suffix the files, for people the list of them."""
    folder = f"/downloads{version}/lights-owl"
    for accept, suffix, file in (
        ("text/turtle", "ttl", "ttl"),
        ("application/rdf+xml, application/xml;q=0.7, */*;q=0.1", "owl", "owl"),
        ("application/rdf+xml", "rdf", "owl"),
    ):
        there = site.get(f"{folder}.{file}")
        asked, named = site.get(f"/owl{version}", accept), site.get(f"/owl{version}.{suffix}")
        assert (asked.status, named.status, there.status) == (200, 200, 200)
        assert asked.type == named.type == there.type == accept.partition(",")[0]
        assert asked.body == named.body == there.body
        assert "accept" in asked.headers["vary"].lower()
    page = site.get(f"/owl{version}", "text/html")
    assert page.status == 303
    assert site.get(page.headers["location"], "text/html").status == 200


@pytest.mark.parametrize("path", ["/owl/1999", "/owl.nt", "/owl.x", "/owl/", "/owls", "/owlx/1999"])
def test_what_no_edition_has_is_404(site: Running, path: str) -> None:
    """In every form."""
    for accept in ("text/html", "text/turtle"):
        assert site.get(path, accept).status == 404, accept


def test_files_of_an_earlier_release_are_its_own(site: Running, releases: Path) -> None:
    """The bytes that were published then, and nothing that its manifest does not list."""
    old = next(f for f in releases.iterdir() if f.name.startswith(OLD))
    body = site.get(f"/downloads/{OLD}/lights.nt").body
    assert body == (old / "downloads/lights.nt").read_bytes()
    assert b"round tower" in body
    for path in ("../manifest.json", "%2e%2e/graph.toml", "nothing.ttl"):
        assert site.get(f"/downloads/{OLD}/{path}").status == 404, path


@pytest.mark.parametrize(
    "path",
    [
        "/release/1999",
        "/ontology/1999",
        "/ontology/1999.ttl",
        "/changes/1999",
        "/changes/1999.json",
    ],
)
def test_unknown_versions_are_404(site: Running, path: str) -> None:
    """In every form."""
    for accept in ("text/html", "text/turtle", "application/json"):
        assert site.get(path, accept).status == 404


def test_a_release_that_is_not_kept_is_still_known(releases: Path, tmp_path: Path) -> None:
    """Its name, its place and its changes; for its files it says where to look."""
    alone = Path(shutil.copytree((releases / "current").resolve(), tmp_path / "alone"))
    running = start(alone, tmp_path / "log", workers=1, processes=1)
    try:
        assert running.get(f"/release/{OLD}", "text/html").status == 200
        assert running.get(f"/release/{OLD}.ttl").status == 200
        gone = running.get(f"/downloads/{OLD}/lights.nt")
        assert gone.status == 404
        assert "/changes" in str(gone.json()["fix"])
        assert running.get(f"/ontology/{OLD}", "text/turtle").status == 404
        assert running.get(f"/ontology/{OLD}", "text/html").status == 200
    finally:
        running.stop()
