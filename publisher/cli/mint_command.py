"""Take the next free number for a concept, or name a source, and write a skeleton of its file.

KIND is one of the graph's kinds (therapy, condition, target, device, component, drug, outcome,
adverse-event ...) followed by the LABEL; or `source` followed by its identifiers (DOI, PMID, PMCID,
registration number). `neuromodkg check` then says what is still to be written.

example:
  neuromodkg mint therapy "temporal interference stimulation"
  neuromodkg mint source 10.1000/xyz123 12345678
  neuromodkg mint source number:K000001
"""

from __future__ import annotations

import argparse
import json

from publisher import corpus, mint
from publisher.cli.main import FINE
from publisher.cli.places import add_format, home_of
from publisher.cli.progress import Bar
from publisher.errors import UsageError


def add(parser: argparse.ArgumentParser) -> None:
    add_format(parser)
    parser.add_argument("kind", metavar="KIND", help="kind of concept, or `source`")
    parser.add_argument("words", nargs="+", metavar="LABEL|ID", help="the label, or identifiers")
    parser.add_argument("--dry-run", action="store_true", help="write no file")


def run(args: argparse.Namespace) -> int:
    found = corpus.read(home_of(args).root, progress=Bar(quiet=args.quiet))
    if found.broken:
        raise found.broken[0]
    if args.kind == "source":
        minted = mint.source(found, args.words)
    elif len(args.words) > 1:
        raise UsageError("the label must be one word or in quotes", where=" ".join(args.words))
    else:
        minted = mint.concept(found, args.kind, args.words[0])
    if not args.dry_run:
        file = found.root / minted.path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as out:
            out.write(minted.text)
    if args.format == "json":
        print(json.dumps({"iri": minted.iri, "path": minted.path, "text": minted.text}, indent=2))
    else:
        print(f"{found.graph.prefixes.show(minted.iri)}  {minted.path}\n\n{minted.text}", end="")
    return FINE
