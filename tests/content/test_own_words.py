"""Claims and definitions are in our own words; compared with records where these are at hand."""

import json
import os
import re
from pathlib import Path

import pyoxigraph as ox
import pytest

from tests.conftest import NMO, ROOT

RECORDS = Path(
    os.environ.get("NEUROMODKG_RECORDS", ROOT.parent / "shared/reference/evidence.jsonl")
)
RUN = 12  # so many words in a row are no chance


def runs(text: str) -> set[tuple[str, ...]]:
    """Every run of words of that length, without case and punctuation."""
    words = re.findall(r"[a-z0-9.]+", text.lower())
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


def test_runs_of_words_are_found() -> None:
    """A sentence shares its runs with a text that contains it, whatever the case."""
    sentence = "one two three four five six seven eight nine ten eleven twelve"
    assert runs(sentence) & runs(f"So it says: {sentence.upper()}, and more.")


@pytest.mark.skipif(
    not RECORDS.exists(), reason="no records to compare with; set NEUROMODKG_RECORDS"
)
def test_no_sentence_of_the_records_stands_in_the_data() -> None:
    """The records' wording is not taken over."""
    known: dict[tuple[str, ...], str] = {}
    for line in RECORDS.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        for run in runs(record["claim"]):
            known[run] = record["key"]
    copied = []
    for file in (ROOT / "data/sources").glob("*.ttl"):
        for triple in ox.parse(path=file, format=ox.RdfFormat.TURTLE):
            if triple.predicate.value == f"{NMO}text" and (
                hit := runs(triple.object.value) & set(known)
            ):
                copied.append(f"{file.name}: {' '.join(min(hit))} ({known[min(hit)]})")
    assert not copied, "\n".join(copied)
