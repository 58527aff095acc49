"""Counters of all serving processes, for Prometheus.

Each process writes into a shared file of its own; whoever is asked for /metrics adds them up, so
that it does not matter which process the question reaches, and nothing is lost when one ends.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

# name{labels}: help of the name
ROWS = {
    'neuromodkg_requests_total{status="2xx"}': "Requests by class of status",
    'neuromodkg_requests_total{status="3xx"}': "",
    'neuromodkg_requests_total{status="4xx"}': "",
    'neuromodkg_requests_total{status="5xx"}': "",
    "neuromodkg_request_seconds_total": "Time spent on requests",
    "neuromodkg_aborted_total": "Replies cut after their first byte",
    "neuromodkg_left_total": "Clients that left before their reply was whole",
    "neuromodkg_cached_total": "Replies from the cache of a serving process",
    'neuromodkg_queries_total{place="here"}': "Queries by where they ran",
    'neuromodkg_queries_total{place="worker"}': "",
    "neuromodkg_query_seconds_total": "Time until the first bytes of answers were there",
    'neuromodkg_worker_events_total{event="demoted"}': "What happened to query processes",
    'neuromodkg_worker_events_total{event="replaced"}': "",
    'neuromodkg_worker_events_total{event="queue_full"}': "",
}
PREFIX = "neuromodkg_"
_NUMBER = struct.Struct("=d")


class Counters:
    """The counters of this process, beside those of the others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places = {name: place for place, name in enumerate(ROWS)}
        size = _NUMBER.size * len(ROWS)
        file = folder / f"counters-{os.getpid()}"
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, size)
            # a cell is read and written in a tenth of a microsecond, packed and unpacked in one
            self._cells = memoryview(mmap.mmap(descriptor, size)).cast("d")
        finally:
            os.close(descriptor)

    def add(self, name: str, amount: float = 1.0) -> None:
        """Count something."""
        self._cells[self._places[name]] += amount

    def event(self, name: str) -> None:
        """Count something that happened to a query process."""
        self.add(f'{PREFIX}worker_events_total{{event="{name}"}}')

    def totals(self) -> dict[str, float]:
        """The sums over all processes."""
        found = dict.fromkeys(ROWS, 0.0)
        for file in self.folder.glob("counters-*"):
            data = file.read_bytes()
            for name, value in zip(ROWS, _NUMBER.iter_unpack(data), strict=False):
                found[name] += value[0]
        return found


def exposition(counters: Counters, gauges: Mapping[str, tuple[str, float]]) -> str:
    """The text format of Prometheus; `gauges` maps a name with labels to help and value."""
    totals = {name: (ROWS[name], value) for name, value in counters.totals().items()}
    lines = [*_families(totals, "counter"), *_families(gauges, "gauge")]
    return "\n".join(lines) + "\n"


def _families(samples: Mapping[str, tuple[str, float]], kind: str) -> Iterator[str]:
    """Each family in one place, with one HELP and one TYPE, as the format asks."""
    families: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for name, (text, value) in samples.items():
        family = name.partition("{")[0]
        families.setdefault(family, []).append(f"{name} {value:.10g}")
        texts[family] = texts.get(family) or text
    for family, lines in families.items():
        yield f"# HELP {family} {texts[family]}"
        yield f"# TYPE {family} {kind}"
        yield from lines
