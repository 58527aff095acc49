"""How long pages take at a given size: every statement of a release's sources, many times over.

    python benchmarks/pages.py releases/current 1000000 build/pages > benchmarks/PAGES.md

Each copy of a source has names of its own, so that the same therapies and conditions get ever more
claims, studies, numbers and harms. Pages are rendered in process, and no reply is remembered; the
least and the median of several times are printed, for the machine may be busy.
"""

import argparse
import gc
import re
import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyoxigraph as ox

from publisher import search
from publisher.web import create_app

COPIED = re.compile(
    r"/(source|study|claim|result|estimate|safety|decision|certainty|setting|dose|population|funding"
    r"|conflict|authorship|contraindication|graph|finding)/([^>]+)>"
)
PAGES = (
    "/",
    "/matrix",
    "/matrix?design=randomised",
    "/proposition/0000012-0000104",
    "/NMOD_0000001",
    "/NMOD_0000012",
    "/NMOD_0000104",
    "/NMOD_0000197",
    "/NMOD_0000964",
    "/NMOD_0000382",
    "/NMOD_0001113",
    "/NMOD_0000338",
    "/NMOD_0000546",
    "/pair?row=NMOD:0000596&column=NMOD:0000009",
    "/claim/doi-10.1001-jama.2022.18231.1",
    "/source/doi-10.1001-jama.2022.18231",
    "/study/hara-2022",
    "/search?q=spinal+cord+stimulation",
    "/search?q=vagus+nerve+stimulaton",
    "/autocomplete?q=sp",
    "/ontology",
    "/shapes",
    "/shape/Claim",
    "/changes",
    "/about",
    "/graph/concepts",
    "/cell/0000012-0000104",
    "/dataset",
    "/query",
    "/queries",
    "/mappings?vocabulary=mondo",
)
TIMES = 7
GOAL = 50


def copies(text: str, size: int) -> Iterator[str]:
    """The release's N-Quads, then copies of everything that sources say."""
    yield text
    lines = [line for line in text.splitlines() if COPIED.search(triple(line))]
    total, each = distinct(text.splitlines()), distinct(lines)
    number = 1
    while total < size:
        number += 1
        made = [COPIED.sub(rf"/\1/\2-copy{number}>", line) for line in lines]
        yield "\n".join(made) + "\n"
        total += each


def triple(line: str) -> str:
    """A quad without its graph."""
    return line.rpartition(" <")[0]


def distinct(lines: Sequence[str]) -> int:
    """How many triples the quads have."""
    return len({triple(line) for line in lines})


def make(release: Path, size: int, target: Path) -> Path:
    """A release directory of that size."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(release, target, ignore=shutil.ignore_patterns("store", "search.sqlite"))
    whole = max((release / "downloads").glob("*.nq"), key=lambda file: file.stat().st_size)
    text = whole.read_text("utf-8")
    store = ox.Store(str(target / "store"))
    for part in copies(text, size):
        quads = list(ox.parse(part, format=ox.RdfFormat.N_QUADS))
        store.bulk_extend([*quads, *(ox.Quad(*quad.triple) for quad in quads)])
    store.optimize()
    store.flush()
    search.build(target, store)
    return target


def main() -> int:
    """Make the release, render the pages, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("release", type=Path, help="a release of the graph")
    parser.add_argument("triples", type=int, help="how many statements")
    parser.add_argument("target", type=Path, help="where the large release goes")
    parser.add_argument("--again", action="store_true", help="it is there already")
    wish = parser.parse_args()
    began = time.perf_counter()
    if not wish.again:
        make(wish.release.resolve(), wish.triples, wish.target)
    app = create_app(wish.target)
    count = app.extensions["publisher"].engine.count()
    done = "opened" if wish.again else "made and opened"
    print(
        f"# Pages of a large graph\n\n{count:,} distinct statements; {done} in"
        f" {time.perf_counter() - began:.0f} s. The goal is less than {GOAL} ms.\n\n"
        f"| page | least ms | median ms | kB |\n|---|--:|--:|--:|"
    )
    client = app.test_client()
    for path in PAGES:
        client.get(path, headers={"Accept": "text/html"})
    gc.collect()
    gc.freeze()  # as a serving process does
    slow = 0
    for path in PAGES:
        times = []
        for _ in range(TIMES):
            start = time.perf_counter()
            reply = client.get(path, headers={"Accept": "text/html"})
            times.append(1000 * (time.perf_counter() - start))
            if reply.status_code != 200:
                raise SystemExit(f"{path}: {reply.status}")
        slow += min(times) >= GOAL
        least, middle = min(times), statistics.median(times)
        print(f"| {path} | {least:.1f} | {middle:.1f} | {len(reply.data) / 1000:.0f} |", flush=True)
    app.extensions["publisher"].engine.close()
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
