"""The examples of the data page do what they say: they are copied from the page and run."""

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Running

SAID = "Against placebo stimulation SCS may give no benefit"


@pytest.fixture(scope="module")
def examples(graph_server: Running) -> dict[str, str]:
    """Language → the code that the page shows."""
    text = graph_server.get("/dataset", "text/html").body.decode()
    found = re.findall(r"<h3>([^<]+)</h3><pre[^>]*><code>(.*?)</code></pre>", text, re.DOTALL)
    return {name: html.unescape(code) for name, code in found}


def run(command: list[str], folder: Path) -> str:
    """What a program prints."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_example_prints_rows(examples: dict[str, str], tmp_path: Path) -> None:
    """With nothing but what comes with Python."""
    assert SAID in run([sys.executable, "-c", examples["Python"]], tmp_path)


def test_the_curl_examples_print_what_they_name(examples: dict[str, str], tmp_path: Path) -> None:
    """A thing, an answer, hits, the map as a file, and what is wrong with data of one's own."""
    if shutil.which("curl") is None:
        pytest.skip("needs curl: on Debian, apt-get install curl")
    (tmp_path / "mine.ttl").write_text("<urn:a:b> a <https://w3id.org/neuromod/ontology#Claim> .")
    printed = run(["sh", "-ec", examples["curl"]], tmp_path)
    assert "skos:prefLabel" in printed
    assert SAID in printed
    assert '"results"' in printed
    assert '"conforms": false' in printed
    (table,) = tmp_path.glob("*.csv")
    assert "spinal cord stimulation" in table.read_text("utf-8")


def test_the_javascript_example_prints_rows(examples: dict[str, str], tmp_path: Path) -> None:
    """As a module, in Node 18 or newer."""
    if shutil.which("node") is None:
        pytest.skip("needs Node.js: on Debian, apt-get install nodejs")
    (tmp_path / "asked.mjs").write_text(examples["JavaScript"], "utf-8")
    assert SAID in run(["node", "asked.mjs"], tmp_path)
