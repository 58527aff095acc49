"""/reconcile keeps the Reconciliation Service API 0.2; the checks follow its JSON schemas."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from publisher import build, check, corpus
from tests.conftest import Answered, Running, start
from tests.lights import TINY

BASE = "http://example.org/lights/"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DATE = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


@pytest.fixture(scope="module")
def lights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("reconcile")
    found = corpus.read(TINY)
    made = build.build(found, check.judge(found, processes=1), folder / "releases")
    running = start(made, folder / "log", workers=1, processes=1)
    yield running
    running.stop()


def post(site: Running, **fields: Any) -> Answered:
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
    return site.request("POST", "/reconcile", urlencode(texts), FORM)


def ask(site: Running, **query: Any) -> list[dict[str, Any]]:
    """The candidates of one query."""
    reply = post(site, queries={"q": query})
    assert (reply.status, reply.type) == (200, "application/json"), reply.body
    found: Any = reply.json()
    keeps_result_batch(found)
    candidates: list[dict[str, Any]] = found["q"]["result"]
    return candidates


def get(site: Running, path: str) -> Any:
    reply = site.get(path)
    assert (reply.status, reply.type) == (200, "application/json"), reply.body
    assert reply.headers["access-control-allow-origin"] == "*"
    return reply.json()


# what the schemas ask


def keeps_type(value: Any) -> None:
    assert set(value) <= {"id", "name", "description", "broader"}
    assert value["id"]
    assert value["name"]
    for broader in value.get("broader", []):
        keeps_type(broader)


def keeps_result_batch(batch: Any) -> None:
    for found in batch.values():
        scores = [candidate["score"] for candidate in found["result"]]
        assert scores == sorted(scores, reverse=True)
        assert sum(candidate["match"] for candidate in found["result"]) <= 1
        for candidate in found["result"]:
            assert isinstance(candidate["id"], str)
            assert isinstance(candidate["name"], str)
            assert isinstance(candidate["score"], int | float)
            assert isinstance(candidate["description"], str)
            assert isinstance(candidate["match"], bool)
            features = [feature["id"] for feature in candidate["features"]]
            assert len(set(features)) == len(features)
            for each in candidate["features"]:
                assert isinstance(each["value"], bool | int | float)
            for each in candidate["type"]:
                keeps_type(each)


def keeps_suggestions(found: Any) -> None:
    for each in found["result"]:
        assert each["id"]
        assert each["name"]
        assert isinstance(each.get("description", ""), str)
        for kind in each.get("notable", []):
            keeps_type(kind)


def keeps_extension(found: Any) -> None:
    assert set(found) == {"meta", "rows"}
    for column in found["meta"]:
        assert column["id"]
        assert column["name"]
        if "type" in column:
            keeps_type(column["type"])
    for row in found["rows"].values():
        assert set(row) == {column["id"] for column in found["meta"]}
        for value in (value for values in row.values() for value in values):
            kinds: dict[frozenset[str], Any] = {
                frozenset({"id", "name"}): lambda v: v["id"] and v["name"],
                frozenset({"str"}): lambda v: isinstance(v["str"], str),
                frozenset({"int"}): lambda v: isinstance(v["int"], int),
                frozenset({"float"}): lambda v: isinstance(v["float"], float),
                frozenset({"date"}): lambda v: DATE.fullmatch(v["date"]),
            }
            assert kinds[frozenset(value)](value), value


# the manifest


@pytest.mark.parametrize("accept", [None, "text/html", "application/json"])
def test_the_manifest_says_what_there_is(lights: Running, accept: str | None) -> None:
    """With addresses that answer, whatever the client accepts."""
    found: Any = lights.get("/reconcile", accept).json()
    assert "0.2" in found["versions"]
    assert found["name"] == "Lights of an invented coast"
    assert found["identifierSpace"] == BASE
    assert found["schemaSpace"].startswith("http")
    assert found["batchSize"] > 1
    assert [t["name"] for t in found["defaultTypes"]] == ["light", "lamp", "source"]
    for kind in found["defaultTypes"]:
        keeps_type(kind)
    for template in (found["view"]["url"], found["preview"]["url"]):
        assert template.startswith(lights.url)
        path = template.removeprefix(lights.url).replace("{{id}}", "LGT_0001")
        assert lights.get(path).status in (200, 303)
    assert {found["preview"][n] > 0 for n in ("width", "height")} == {True}
    for what, service in found["suggest"].items():
        assert service["service_url"] == lights.url
        keeps_suggestions(get(lights, f"{service['service_path']}?prefix=l"))
        wanted = {"entity": "LGT_0001", "type": "lv:Light", "property": "lv:miles"}[what]
        path = service["flyout_service_path"].replace("${id}", quote(wanted, safe=""))
        flyout = get(lights, path)
        assert flyout["id"] == wanted
        assert flyout["html"]
    assert found["extend"]["propose_properties"]["service_url"] == lights.url
    assert {s["type"] for s in found["extend"]["property_settings"]} == {"number"}


def test_addresses_follow_the_mount(starter: Any) -> None:
    """Under a path and behind a name."""
    site = starter(prefix="/kg", site_url="https://example.org/kg")
    found: Any = site.get("/kg/reconcile").json()
    assert found["view"]["url"] == "https://example.org/kg/reconcile/view?id={{id}}"
    assert found["suggest"]["entity"]["service_url"] == "https://example.org/kg"


# candidates


def test_a_name_finds_its_thing(lights: Running) -> None:
    """Just so it is a match; its identifier is its IRI within the identifier space."""
    found = ask(lights, query="Grey Point")
    assert (found[0]["id"], found[0]["match"]) == ("LGT_0001", True)
    assert found[0]["type"] == [{"id": "lv:Light", "name": "light"}]
    assert not any(candidate["match"] for candidate in ask(lights, query="Grey"))
    assert ask(lights, query="xyzzy") == []
    assert ask(lights, query=" ") == []


@pytest.mark.parametrize(
    "name", ["LGT_0001", "LGT:0001", BASE + "LGT_0001", "source/isbn-978-0-00-000001-9"]
)
def test_an_identifier_finds_its_thing(lights: Running, name: str) -> None:
    """In any of its forms, with a high score."""
    found = ask(lights, query=name)[0]
    assert found["id"] == name.removeprefix(BASE).replace("LGT:", "LGT_")
    assert found["score"] >= 90
    assert found["match"]
    suggested = get(lights, "/reconcile/suggest/entity?prefix=" + quote(name, safe=""))
    assert suggested["result"][0]["id"] == found["id"]


def test_a_retired_thing_is_found_and_never_matched(lights: Running) -> None:
    """Nobody should link to it anew."""
    for name in ("Old Mole", "LGT_0003"):
        found = next(c for c in ask(lights, query=name) if c["id"] == "LGT_0003")
        assert found["match"] is False
        assert "retired" in found["description"]


def test_types_restrict(lights: Running) -> None:
    """A class, one of several, a subclass that the index does not tell apart, all of several."""

    def ids(**more: Any) -> list[str]:
        return [c["id"] for c in ask(lights, query="Sand Bank", **more)]

    assert ids(type="lv:Light") == ids(type=["lv:Lamp", "lv:Light"]) == ["LGT_0002"]
    assert ids(type=[{"id": "lv:Light"}]) == ["LGT_0002"]
    assert ids(type="lv:Lightship") == ["LGT_0002"]
    assert ids(type=["lv:Lightship", "skos:Concept"], type_strict="all") == ["LGT_0002"]
    assert ids(type="lv:Lamp") == []
    assert ids(type=["lv:Lightship", "lv:Lamp"], type_strict="all") == []


def test_properties_tell_namesakes_apart(lights: Running) -> None:
    """A text, a number, an entity; each is a feature of the score."""
    right = [{"pid": "lv:isbn", "v": "978-0-00-000001-9"}]
    found = ask(lights, query="A pilot's year", properties=right)[0]
    assert found["match"] is True
    assert {"id": "lv:isbn", "value": True} in found["features"]
    wrong = ask(lights, query="A pilot's year", properties=[{"pid": "lv:isbn", "v": "1"}])[0]
    assert wrong["match"] is False
    assert wrong["score"] < found["score"]
    scheme = [{"pid": "skos:inScheme", "v": {"id": "lv:Lights"}}]
    assert ask(lights, query="Grey Point", properties=scheme)[0]["match"] is True


def test_properties_alone_find_things(lights: Running) -> None:
    """As an identifier does."""
    found = ask(lights, properties=[{"pid": "lv:isbn", "v": ["x", "978-0-00-000001-9"]}])
    assert [c["id"] for c in found] == ["source/isbn-978-0-00-000001-9"]
    assert ask(lights, properties=[{"pid": "not an iri> ?x", "v": 1}]) == []


def test_batches_are_answered_by_get_and_post(lights: Running) -> None:
    """Each query under its own name, as many as are wanted of each."""
    batch = {"a": {"query": "light", "limit": 1}, "ö": {"query": "Oil lamp"}}
    posted = post(lights, queries=batch)
    asked = lights.get("/reconcile?" + urlencode({"queries": json.dumps(batch)}))
    assert posted.json() == asked.json()
    assert set(posted.json()) == {"a", "ö"}
    assert posted.headers["access-control-allow-origin"] == "*"
    assert posted.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"queries": "{"}, 400),
        ({"queries": "[]"}, 400),
        ({"queries": {"a": 1}}, 400),
        ({"queries": {"a": {"query": 1}}}, 400),
        ({"queries": {"a": {"query": "x" * 5000}}}, 400),
        ({"queries": {"a": {"query": "x", "limit": 0}}}, 400),
        ({"queries": {"a": {"query": "x", "limit": True}}}, 400),
        ({"queries": {"a": {"query": "x", "type": [1]}}}, 400),
        ({"queries": {"a": {"query": "x", "type_strict": "very"}}}, 400),
        ({"queries": {"a": {"query": "x", "properties": [{"pid": "p"}]}}}, 400),
        ({"queries": {"a": {"query": "x", "properties": [{"pid": "p", "v": [None]}]}}}, 400),
        ({"queries": {str(n): {"query": "x"} for n in range(51)}}, 413),
        ({"queries": {}, "extend": {}}, 400),
        ({"other": "x"}, 400),
        ({"extend": {"ids": "x", "properties": []}}, 400),
        ({"extend": {"ids": [], "properties": ["x"]}}, 400),
        ({"extend": {"ids": ["x"] * 501, "properties": []}}, 413),
    ],
)
def test_what_cannot_be_answered_is_a_problem(
    lights: Running, fields: dict[str, Any], status: int
) -> None:
    """RFC 9457, readable by scripts of any site."""
    reply = post(lights, **fields)
    assert (reply.status, reply.type) == (status, "application/problem+json"), reply.body
    assert reply.headers["access-control-allow-origin"] == "*"


def test_bodies_that_are_no_form_are_refused(lights: Running) -> None:
    """415, with what is understood."""
    reply = lights.request("POST", "/reconcile", "{}", {"Content-Type": "application/json"})
    assert reply.status == 415
    assert "form-urlencoded" in str(reply.json()["fix"])


# suggestions


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("entity?prefix=gre", "LGT_0001"),
        ("type?prefix=light", "lv:Light"),
        ("type?prefix=lv:Lamp", "lv:Lamp"),
        ("property?prefix=mil", "lv:miles"),
        ("property?prefix=skos:alt", "skos:altLabel"),
    ],
)
def test_what_is_typed_is_completed(lights: Running, path: str, first: str) -> None:
    """Names first that begin so."""
    found = get(lights, f"/reconcile/suggest/{path}")
    keeps_suggestions(found)
    assert found["result"][0]["id"] == first


def test_a_class_is_suggested_with_what_is_above_it(lights: Running) -> None:
    """Type hierarchies."""
    found = get(lights, "/reconcile/suggest/type?prefix=lightship")["result"][0]
    keeps_type(found)
    assert [b["id"] for b in found["broader"]] == ["lv:Light"]


def test_more_suggestions_are_behind_the_cursor(lights: Running) -> None:
    """None twice."""
    seen = [
        each["id"]
        for cursor in (0, 10, 20)
        for each in get(lights, f"/reconcile/suggest/property?prefix=&cursor={cursor}")["result"]
    ]
    assert len(seen) == len(set(seen)) > 10


@pytest.mark.parametrize(
    "path",
    ["suggest/nothing?prefix=a", "flyout/entity?id=LGT_9999", "preview?id=nope", "view?id=nope"],
)
def test_what_is_not_there_is_404(lights: Running, path: str) -> None:
    """And no page of somebody else's."""
    assert lights.get(f"/reconcile/{path}").status == 404


# one thing


def test_a_preview_may_be_shown_in_anybodys_frame(lights: Running) -> None:
    """Only this page may; it runs nothing and links to the thing."""
    reply = lights.get("/reconcile/preview?id=LGT_0001")
    policy = reply.headers["content-security-policy"]
    assert "frame-ancestors *" in policy
    assert "default-src 'none'" in policy
    text = reply.body.decode()
    assert f'href="{lights.url}/LGT_0001" target="_blank"' in text
    assert "<script" not in text
    other = lights.get("/LGT_0001", "text/html").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in other


def test_the_view_leads_to_the_page(lights: Running) -> None:
    """Whatever is in the identifier."""
    name = quote("source/isbn-978-0-00-000001-9", safe="")
    reply = lights.get(f"/reconcile/view?id={name}")
    assert (reply.status, reply.headers["location"]) == (303, "/source/isbn-978-0-00-000001-9")


def test_a_flyout_carries_no_markup_of_the_data(server: Running) -> None:
    """It is put into somebody's page as it comes."""
    found: Any = server.get("/reconcile/flyout/entity?id=NMOD_0000003").json()
    assert "<b>" not in found["html"]
    assert "&lt;b&gt;" in found["html"]


# values


def test_columns_are_filled_with_values(lights: Running) -> None:
    """Texts, numbers, dates and entities; one row for every thing that was asked for."""
    properties = ["skos:prefLabel", "skos:broader", "lv:miles", "lv:seenOn", "lv:light"]
    ids = ["LGT_0001", "sighting/isbn-978-0-00-000001-9.1", "nothing"]
    asked = {"ids": ids, "properties": [{"id": p} for p in properties]}
    reply = post(lights, extend=asked)
    assert reply.status == 200, reply.body
    found: Any = reply.json()
    keeps_extension(found)
    assert list(found["rows"]) == ids
    sighting = found["rows"][ids[1]]
    assert sighting["lv:miles"] == [{"float": 12.5}]
    assert sighting["lv:seenOn"] == [{"date": "1901-03-09T00:00:00"}]
    assert sighting["lv:light"] == [{"id": "LGT_0001", "name": "Grey Point"}]
    assert found["rows"]["LGT_0001"]["skos:prefLabel"] == [{"str": "Grey Point"}]
    assert found["rows"]["nothing"]["lv:miles"] == []
    assert get(lights, "/reconcile?" + urlencode({"extend": json.dumps(asked)})) == found


def test_a_setting_limits_the_values(lights: Running) -> None:
    """Of each thing."""
    asked = {
        "ids": ["LGT_0001"],
        "properties": [{"id": "rdf:type", "settings": {"limit": 1}}],
    }
    row: Any = post(lights, extend=asked).json()
    assert len(row["rows"]["LGT_0001"]["rdf:type"]) == 1


def test_properties_are_proposed_for_a_type(lights: Running) -> None:
    """Those that its things have."""
    found = get(lights, "/reconcile/properties?type=lv:Light&limit=3")
    assert (found["type"], found["limit"], len(found["properties"])) == ("lv:Light", 3, 3)
    every = get(lights, "/reconcile/properties?type=lv:Sighting")
    assert "lv:miles" in [p["id"] for p in every["properties"]]
    assert get(lights, "/reconcile/properties?type=nope")["properties"] == []
