"""What happens when a curator slips, in the graph itself."""

import shutil
from pathlib import Path

from publisher import check, corpus
from tests.conftest import ROOT

MISSPELT = "data/sources/doi-10.1227-neu.0b013e318236a57c.ttl"
MISSING = "data/sources/doi-10.1111-ner.12208.ttl"


def test_four_slips_are_found_at_once(tmp_path: Path) -> None:
    """A misspelt stance, a missing source, a broken DOI, a torn line: each with its place."""
    for folder in ("ontology", "data", "shapes"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    misspelt = tmp_path / MISSPELT
    text = misspelt.read_text(encoding="utf-8")
    text = text.replace("nmo:StanceSupports", "nmo:StanceSuports", 1)
    text = text.replace('nmo:doi "10.1227/', 'nmo:doi "doi:10.1227/', 1)
    misspelt.write_text(text, encoding="utf-8")
    (tmp_path / MISSING).unlink()
    torn = tmp_path / "data/therapies/0000002-neurostimulation.ttl"
    torn.write_text(torn.read_text(encoding="utf-8").replace(" ;\n", "\n", 1), encoding="utf-8")

    lines = text.split("\n")
    said = {
        (f.rule, f.file, f.line, f.fix)
        for f in check.judge(corpus.read(tmp_path), processes=1).findings
    }
    stance = next(n for n, line in enumerate(lines, 1) if "StanceSuports" in line)
    doi = next(n for n, line in enumerate(lines, 1) if "nmo:doi" in line)
    assert ("known-terms", MISSPELT, stance, "did you mean nmo:StanceSupports?") in said
    assert ("identifiers", MISSPELT, doi, "write 10.1227/NEU.0b013e318236a57c") in said
    assert any(
        rule == "described-entities" and file.endswith("founding-article.ttl") and MISSING in fix
        for rule, file, _, fix in said
    )
    assert any(rule == "readable" and file.endswith(torn.name) for rule, file, _, _ in said)
