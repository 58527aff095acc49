"""The commands, as a shell sees them: what they print, and their exit codes."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from publisher.cli import main
from publisher.cli.main import COMMANDS
from publisher.cli.progress import Bar

TINY = Path(__file__).parents[1] / "fixtures/tiny"
SOURCE = "data/sources/isbn-978-0-00-000001-9.ttl"


def run(*words: str, where: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "publisher.cli", *words],
        cwd=where,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PATH": "/usr/bin:/bin",
            "HOME": str(where),
        },
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example is a command line that begins like this one."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"example:\n  neuromodkg {command}" in shown


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["chekc"],
        ["check", "--nonsense"],
        ["mint", "light"],
        ["query"],
        ["check", "--root", "/"],
        ["serve", "--release", "nowhere", "--port", "0"],
        ["query", "--release", "nowhere", "ASK {}"],
        ["diff", "nowhere", "elsewhere"],
    ],
)
def test_wrong_use_is_2(words: list[str], tmp_path: Path) -> None:
    """So that a script can tell it from findings."""
    assert run(*words, where=tmp_path).returncode == 2


def test_check_passes_and_fails(copy: Path) -> None:
    """0 and a line that says so; 1 and the place of the mistake."""
    fine = run("check", where=copy)
    assert (fine.returncode, fine.stdout.splitlines()[-1][:6]) == (0, "passed")
    file = copy / SOURCE
    file.write_text(file.read_text().replace("lv:verdict lv:Seen", "lv:verdict lv:Sen"))
    line = next(n for n, text in enumerate(file.read_text().split("\n"), 1) if "lv:Sen " in text)
    bad = run("check", where=copy)
    assert bad.returncode == 1
    assert f"{SOURCE}:{line}: violation: lv:Sen is defined nowhere" in bad.stdout
    assert "did you mean lv:Seen?" in bad.stdout


def test_check_in_json(copy: Path) -> None:
    """Everything that the text says."""
    file = copy / SOURCE
    file.write_text(file.read_text().replace("lv:verdict lv:Seen", "lv:verdict lv:Sen"))
    found = json.loads(run("check", "--format", "json", where=copy).stdout)
    assert found["passed"] is False
    assert found["counts"]["violation"] == len(
        [f for f in found["findings"] if f["severity"] == "violation"]
    )
    assert {"severity", "rule", "file", "line", "focus", "message", "fix"} == found["findings"][
        0
    ].keys()


def test_format_mends_what_check_complains_of(copy: Path) -> None:
    """--check changes nothing and says 1; without it, all is well afterwards."""
    file = copy / SOURCE
    good = file.read_text()
    file.write_text(good.replace("    ", "\t").replace(" ;\n.", " ."))
    spoilt = file.read_text()
    assert run("format", "--check", where=copy).returncode == 1
    assert file.read_text() == spoilt
    assert run("format", SOURCE, where=copy).returncode == 0
    assert file.read_text() == good
    assert run("format", "--check", where=copy).returncode == 0


def test_format_leaves_what_it_cannot_read(copy: Path) -> None:
    """The others are written, this one is told."""
    file = copy / SOURCE
    file.write_text("# a comment\n" + file.read_text())
    other = copy / "data/lights/0001-grey-point.ttl"
    other.write_text(other.read_text().replace("    ", "  "))
    done = run("format", "--format", "json", where=copy)
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert found["changed"] == ["data/lights/0001-grey-point.ttl"]
    assert found["refused"][0]["file"] == SOURCE
    assert file.read_text().startswith("# a comment")


def test_build_then_query_then_build_again(copy: Path) -> None:
    """The second build finds the release standing."""
    assert run("query", "ASK {}", where=copy).returncode == 2
    first = json.loads(run("build", "--format", "json", where=copy).stdout)
    assert first["made"] is True
    second = json.loads(run("build", "--format", "json", where=copy / "data").stdout)
    assert (second["made"], second["path"]) == (False, first["path"])
    query = "SELECT ?name { ?light a lv:Light ; skos:prefLabel ?name } ORDER BY ?name"
    table = run("query", query, where=copy)
    assert table.stdout.splitlines() == ["name", "----------", "Grey Point", "Old Mole", "2 rows"]
    assert run("query", "-", "--format", "csv", where=copy, stdin=query).stdout.split() == [
        "name", "Grey", "Point", "Old", "Mole",
    ]  # fmt: skip
    turtle = run("query", "CONSTRUCT WHERE { LGT:0010 a ?t }", where=copy).stdout
    assert "LGT:0010\n    a lv:Lamp ;\n    a skos:Concept ;\n." in turtle
    assert run("query", "ASK { LGT:0010 a lv:Lamp }", where=copy).stdout == "yes\n"


def test_a_malformed_query_says_where(copy: Path) -> None:
    """Line and column, and 2: the question was wrong."""
    run("build", where=copy)
    done = run("query", "SELECT ?x {\n ?x }", where=copy)
    assert done.returncode == 2
    assert "line 2" in done.stderr


def test_a_long_query_does_not_end_the_process(copy: Path) -> None:
    """Oxigraph's parser recurses; on a common stack this would be a crash."""
    run("build", where=copy)
    done = run("query", "-", where=copy, stdin="SELECT * { " + "{" * 4000 + "}" * 4000 + " }")
    assert done.returncode >= 0


def test_mint_writes_a_file_once(copy: Path) -> None:
    """The second time the name is taken."""
    done = run("mint", "light", "Cliff Edge", "--format", "json", where=copy)
    assert (copy / json.loads(done.stdout)["path"]).read_text() == json.loads(done.stdout)["text"]
    assert run("mint", "light", "Cliff Edge", where=copy).returncode == 2


def test_diff_of_two_checkouts(copy: Path, tmp_path: Path) -> None:
    """Text for people, JSON for programs, 0 either way."""
    (copy / "data/sources/harbour-tale.ttl").unlink()
    done = run("diff", str(TINY), str(copy), where=tmp_path)
    assert done.returncode == 0
    assert "- gone" in done.stdout
    found = json.loads(run("diff", str(TINY), str(copy), "--format", "json", where=tmp_path).stdout)
    assert found["counts"]["gone"] == 1


def test_a_taken_port_is_told_before_anything_is_built(copy: Path) -> None:
    """And not shared with whoever has it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("serve", "--port", port, where=copy)
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr
    assert not (copy / "releases").exists()


def test_a_reader_that_leaves_is_no_error(copy: Path) -> None:
    """`neuromodkg check | head -1` prints one line and no complaint."""
    (copy / "data/sources/harbour-tale.ttl").unlink()
    line = f"{sys.executable} -m publisher.cli diff --statements {TINY} {copy} | head -1"
    env = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, text=True, env=env, timeout=60, check=False
    )
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


class Screen:
    """A terminal, or not."""

    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal
        self.text = ""

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


def test_a_progress_bar_is_drawn_on_a_terminal_only() -> None:
    """A log file must not fill with it."""
    for terminal in (True, False):
        screen = Screen(terminal=terminal)
        bar = Bar(stream=screen)  # type: ignore[arg-type]
        bar("reading", 1, 2)
        bar("reading", 2, 2)
        assert ("50%" in screen.text) is terminal
        assert screen.text == "" or screen.text.endswith("\r\x1b[K")
