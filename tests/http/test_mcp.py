"""`neuromodkg mcp`, the real process: the protocol line by line, and what the tools say."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agent import Client, start
from tests.conftest import ROOT
from tests.lights import two_releases, with_pairs

LIGHTS = "http://example.org/lights/"
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
TOOLS = ["search", "describe", "evidence", "vocabulary", "sparql", "list_queries", "run_query"]
ENDLESS = (
    "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n2 ?o"
    " FILTER(?a != ?m) }"
)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_pairs(tmp_path_factory.mktemp("mcp"))


@pytest.fixture
def fresh(release: Path) -> Iterator[Client]:
    """A process that nobody has spoken to."""
    client = start(release, query_seconds=2)
    yield client
    client.end()


@pytest.fixture(scope="module")
def lights(release: Path) -> Iterator[Client]:
    """A process that has been greeted."""
    client = start(release, query_seconds=2)
    client.begin()
    yield client
    assert client.end() == 0


# the protocol


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_the_version_that_the_client_speaks_is_spoken(fresh: Client, version: str) -> None:
    """With what the server is, what it can, and what a model should know."""
    found = fresh.begin(version)
    assert found["protocolVersion"] == version
    assert found["capabilities"] == {"tools": {"listChanged": False}}
    assert found["serverInfo"]["name"] == "lights"
    assert found["serverInfo"]["version"]
    assert "do not navigate by it" in found["instructions"]
    assert [tool["name"] for tool in fresh.ask("tools/list")["tools"]] == TOOLS


def test_an_unknown_version_is_answered_with_the_newest(fresh: Client) -> None:
    """The client may then leave."""
    assert fresh.begin("1999-01-01")["protocolVersion"] == "2025-11-25"


def test_requests_may_carry_their_version(fresh: Client) -> None:
    """Without a greeting; each result says that it is complete, and who gave it."""
    found = fresh.ask("server/discover", {"_meta": MODERN})
    assert found["supportedVersions"] == ["2026-07-28"]
    assert found["resultType"] == "complete"
    assert found["ttlMs"] >= 0
    assert found["cacheScope"] == "public"
    listed = fresh.ask("tools/list", {"_meta": MODERN})
    assert [tool["name"] for tool in listed["tools"]] == TOOLS
    called = fresh.ask(
        "tools/call", {"name": "search", "arguments": {"query": "Grey"}, "_meta": MODERN}
    )
    assert called["resultType"] == "complete"
    assert called["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "lights"


def test_a_version_to_come_is_refused_with_ours(fresh: Client) -> None:
    """-32022, so that the client can choose."""
    meta = {**MODERN, "io.modelcontextprotocol/protocolVersion": "2099-01-01"}
    found = fresh.ask("tools/list", {"_meta": meta})
    assert found["code"] == -32022
    assert found["data"] == {"supported": ["2026-07-28"], "requested": "2099-01-01"}
    half = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
    assert fresh.ask("tools/list", {"_meta": half})["code"] == -32602


def test_nothing_but_a_ping_comes_before_the_greeting(fresh: Client) -> None:
    """And a ping comes at any time."""
    assert fresh.ask("ping") == {}
    assert fresh.ask("tools/list")["code"] == -32600
    fresh.begin()
    assert fresh.ask("ping") == {}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"1", -32600),
        (b'{"id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 2}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "no/such"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "server/discover"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "initialize"}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}', -32602),
        (
            b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "x"}}',
            -32602,
        ),
        (
            b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": "x"}}',
            -32602,
        ),
    ],
)
def test_what_is_no_request_gets_an_error(lights: Client, line: bytes, code: int) -> None:
    """By the codes of JSON-RPC 2.0; the conversation goes on."""
    lights.write(line)
    reply = lights.read()
    assert reply["error"]["code"] == code
    assert reply["id"] == (
        1 if code in (-32601, -32602) or b'"method": 2' in line or b"[]}" in line else None
    )
    assert lights.ask("ping") == {}


def test_notifications_and_responses_are_not_answered(lights: Client) -> None:
    """Whatever they say."""
    lights.notify("notifications/anything")
    lights.notify("notifications/cancelled", {"requestId": "never asked"})
    lights.write({"jsonrpc": "2.0", "id": 9, "result": {}})
    lights.write(b"")
    assert lights.ask("ping") == {}


def test_messages_come_in_lists_in_the_one_version_that_has_it(fresh: Client) -> None:
    """2025-03-26; notifications in it are not answered."""
    fresh.begin("2025-03-26")
    ping = {"jsonrpc": "2.0", "id": "a", "method": "ping"}
    fresh.write([ping, {"jsonrpc": "2.0", "method": "notifications/x"}, {**ping, "id": 2}])
    assert [reply["id"] for reply in fresh.read()] == ["a", 2]


def test_a_slow_tool_holds_up_nobody_and_can_be_given_up(lights: Client) -> None:
    """A ping is answered meanwhile; what was cancelled is never answered."""
    slow = lights.send("tools/call", {"name": "sparql", "arguments": {"query": ENDLESS}})
    assert lights.ask("ping") == {}
    lights.notify("notifications/cancelled", {"requestId": slow})
    other = lights.send("tools/call", {"name": "sparql", "arguments": {"query": ENDLESS}})
    reply = lights.read()
    assert reply["id"] == other
    assert reply["result"]["isError"] is True
    assert "2 seconds" in reply["result"]["content"][0]["text"]


def test_standard_output_carries_nothing_else(release: Path) -> None:
    """Not even when the process complains."""
    client = start(release, log_level="debug")
    client.begin()
    client.call("search", query="Grey Point")
    assert client.end() == 0


# the tools


def test_tools_say_what_they_take_and_that_they_only_read(lights: Client) -> None:
    """Schemas that are closed, and a description of every argument."""
    for tool in lights.ask("tools/list")["tools"]:
        assert tool["description"]
        assert tool["annotations"]["readOnlyHint"] is True
        schema = tool["inputSchema"]
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        assert set(schema["required"]) <= set(schema["properties"])
        assert all(each["description"] for each in schema["properties"].values()), tool["name"]


@pytest.mark.parametrize(
    ("tool", "arguments", "part"),
    [
        ("search", {}, "query is missing"),
        ("search", {"query": 1}, "not of type string"),
        ("search", {"query": " "}, "is empty"),
        ("search", {"query": "x" * 500}, "longer than 300"),
        ("search", {"query": "x", "limit": 0}, "expected 1 or more"),
        ("search", {"query": "x", "limit": True}, "not of type integer"),
        ("search", {"query": "x", "limit": 1000}, "expected 50 or less"),
        ("search", {"query": "x", "colour": "red"}, "takes no colour"),
        ("search", {"query": "x", "kind": "cow"}, "no such kind"),
        ("describe", {"thing": "no such thing"}, "nothing is called just so"),
        ("evidence", {}, "name a lamp, a light, or both"),
        ("evidence", {"light": "Grey Point", "lamp": "no such lamp"}, "nothing is called just so"),
        ("run_query", {"name": "nothing"}, "list_queries"),
        ("sparql", {"query": "SELECT"}, "expected"),
        ("sparql", {"query": "INSERT DATA { <u:a> <u:b> 1 }"}, "read-only"),
        ("sparql", {"query": "SELECT * { SERVICE <http://x/> { ?s ?p ?o } }"}, "SERVICE"),
        ("sparql", {"query": "SELECT * FROM <file:///etc/passwd> { ?s ?p ?o }"}, "never fetched"),
    ],
)
def test_a_slip_is_told_so_that_it_can_be_mended(
    lights: Client, tool: str, arguments: dict[str, Any], part: str
) -> None:
    """As a result that the model reads, not as an error of the protocol."""
    assert part in lights.fail(tool, **arguments)


def test_things_are_found(lights: Client) -> None:
    """By name and slip, of a kind, with their IRIs."""
    text, data = lights.call("search", query="Gray Point")
    assert data["hits"][0]["iri"] == LIGHTS + "LGT_0001"
    assert f"<{LIGHTS}LGT_0001>" in text
    _, lamps = lights.call("search", query="lamp", kind="lamp")
    assert {each["kind"] for each in lamps["hits"]} == {"lamp"}
    _, old = lights.call("search", query="Old Mole")
    assert old["hits"][0]["retired"] is True


@pytest.mark.parametrize("name", ["Grey Point", "LGT:0001", "LGT_0001", LIGHTS + "LGT_0001"])
def test_a_thing_is_described(lights: Client, name: str) -> None:
    """By any of its names: values with labels and IRIs, and what points here."""
    text, data = lights.call("describe", thing=name)
    assert (data["iri"], data["label"], data["kind"]) == (
        LIGHTS + "LGT_0001",
        "Grey Point",
        "light",
    )
    assert "A round tower" in text
    schemes = next(p for p in data["properties"] if p["property"]["iri"].endswith("inScheme"))
    assert schemes["values"][0]["iri"] == LIGHTS + "ontology#Lights"
    assert any(each["subject"]["text"] == "seen from the north" for each in data["incoming"])


def test_a_source_is_described_with_its_identifiers(lights: Client) -> None:
    """And a retired thing says so."""
    _, data = lights.call("describe", thing="A pilot's year")
    assert data["identifiers"] == [{"name": "isbn", "value": "978-0-00-000001-9"}]
    text, old = lights.call("describe", thing="LGT:0003")
    assert old["retired"] is True
    assert "retired" in text


def test_evidence_has_both_sides_with_numbers_and_sources(lights: Client) -> None:
    """Of lights and lamps as of anything that the settings name."""
    text, data = lights.call("evidence", light="Grey Point", lamp="oil lamp")
    assert data["pair"] == "Grey Point, lit by oil lamp"
    assert data["iri"] == LIGHTS + "range/0001-0010"
    assert data["counts"]["disputed"] is True
    (part,) = data["parts"]
    sides = {side["side"]: side for side in part["sides"]}
    assert [side["total"] for side in part["sides"]] == [1, 1]
    seen = sides["seen"]["rows"][0]
    assert seen["claim"]["iri"] == LIGHTS + "sighting/isbn-978-0-00-000001-9.1"
    assert seen["miles"]["text"] == "12.5"
    assert sides["missed"]["rows"][0]["text"]["text"] == "not seen in fog"
    (source,) = data["sources"]
    assert source["identifiers"] == [{"name": "isbn", "value": "978-0-00-000001-9"}]
    assert "### seen: 1" in text
    assert "### missed: 1" in text
    assert f"seen from the north; miles: 12.5; source [1] <{seen['claim']['iri']}>" in text
    assert "[1] A pilot's year (isbn 978-0-00-000001-9)" in text
    assert "do not navigate by it" in text


def test_evidence_of_one_thing_lists_its_pairs(lights: Client) -> None:
    """With counts of both sides."""
    text, data = lights.call("evidence", lamp="oil lamp")
    assert {pair["with"]["text"] for pair in data["pairs"]} == {"Grey Point", "Sand Bank"}
    assert "1 saw it, 1 missed it. The pair is disputed." in text


def test_no_evidence_is_not_taken_for_evidence_of_nothing(lights: Client) -> None:
    """It says that nothing is recorded."""
    text, data = lights.call("evidence", light="LGT:0003", lamp="LGT:0010")
    assert data["parts"] == []
    assert "Nothing is recorded" in text


def test_the_graph_is_asked_in_sparql(lights: Client) -> None:
    """Without declaring prefixes; rows with labels, the first ones of many, yes or no, Turtle."""
    query = "SELECT ?s ?l { ?s a lv:Sighting ; lv:light ?l } ORDER BY ?s"
    text, data = lights.call("sparql", query=query, limit=2)
    assert (data["total"], len(data["rows"])) == (3, 2)
    assert data["rows"][0]["l"] == {"text": "Grey Point", "iri": LIGHTS + "LGT_0001"}
    assert "3 rows, the first 2 shown" in text
    assert lights.call("sparql", query="ASK { LGT:0001 a lv:Light }")[1] == {"boolean": True}
    turtle, _ = lights.call("sparql", query="DESCRIBE LGT:0001")
    assert "A round tower" in turtle


def test_the_vocabulary_is_there_to_ask_in(lights: Client) -> None:
    """Own terms first, those that mention a word."""
    text, data = lights.call("vocabulary", about="lightship")
    assert data["terms"][0]["curie"] == "lv:Lightship"
    assert "lv" in text.rpartition("Prefixes")[2]


def test_stored_queries_are_listed_and_run(lights: Client) -> None:
    """By name or IRI."""
    _, data = lights.call("list_queries")
    assert [(q["name"], q["question"]) for q in data["queries"]] == [
        ("seen", "Which lights were seen?")
    ]
    for name in ("seen", LIGHTS + "query/seen"):
        text, found = lights.call("run_query", name=name)
        assert found["total"] == 2
        assert f"<{LIGHTS}query/seen>" in text


def test_a_graph_without_pairs_has_no_tool_on_them(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The others are there; and the current release is taken from its folder."""
    client = start(two_releases(tmp_path_factory.mktemp("plain")))
    client.begin()
    names = [tool["name"] for tool in client.ask("tools/list")["tools"]]
    assert names == [name for name in TOOLS if name != "evidence"]
    assert client.end() == 0


def test_what_is_no_release_is_told_on_the_other_line(tmp_path: Path) -> None:
    """Standard output stays empty."""
    done = subprocess.run(
        [sys.executable, "-m", "publisher.cli", "mcp", "--release", str(tmp_path)],
        capture_output=True,
        input=b"",
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode > 0
    assert done.stdout == b""
    assert b"no release" in done.stderr
