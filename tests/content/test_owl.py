"""The vocabulary and the OWL edition are OWL 2 DL and consistent, by ROBOT and HermiT."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, Running

HERE = Path(__file__).parent / "owl"
TOOLS = ROOT / "build/robot"


@pytest.fixture(scope="module")
def robot() -> list[str]:
    """The command line of ROBOT, fetched from Maven Central once."""
    if not shutil.which("java") or not shutil.which("mvn"):
        pytest.skip("needs java and mvn: apt-get install openjdk-17-jdk-headless maven")
    if not list(TOOLS.glob("robot-command-*.jar")):
        fetch = ["mvn", "-q", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        subprocess.run([*fetch, f"-DoutputDirectory={TOOLS}"], check=True, timeout=600)
    return ["java", "-cp", f"{TOOLS}/*", "org.obolibrary.robot.CommandLineInterface"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ontology.ttl", "neuromodkg-owl.ttl"])
def test_it_is_owl_2_dl_and_consistent(
    robot: list[str], graph_server: Running, tmp_path: Path, name: str
) -> None:
    """The download as it is published; HermiT would refuse an inconsistent one."""
    file = tmp_path / name
    file.write_bytes(graph_server.get(f"/downloads/{name}").body)
    report = tmp_path / "report.txt"
    profile = ["validate-profile", "--profile", "DL", "--input", str(file)]
    checked = subprocess.run(
        [*robot, *profile, "--output", str(report)], capture_output=True, timeout=300, check=False
    )
    assert checked.returncode == 0, report.read_text() if report.exists() else checked.stdout
    reasoned = subprocess.run(
        [*robot, "reason", "--reasoner", "HermiT", "--input", str(file)],
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert reasoned.returncode == 0, reasoned.stdout.decode()[-2000:]
