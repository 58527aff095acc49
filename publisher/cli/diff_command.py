"""Say what changed between two states of the graph: new, changed, retired and gone entities.

OLD and NEW are release folders (or a folder of releases, for its current one), checkouts, or
N-Quads files. What the build derives is left out unless --all is given.

example:
  neuromodkg diff releases/2026-10-01.5d0c1a2b releases/current
  neuromodkg diff ../old-checkout . --statements
  neuromodkg diff old.nq new.nq --format json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from publisher import diff
from publisher.cli.main import FINE
from publisher.cli.places import add_format
from publisher.diff import Difference

_SIGNS = {"new": "+", "changed": "~", "retired": "x", "gone": "-"}


def add(parser: argparse.ArgumentParser) -> None:
    add_format(parser)
    parser.add_argument("old", type=Path, metavar="OLD")
    parser.add_argument("new", type=Path, metavar="NEW")
    parser.add_argument("--statements", action="store_true", help="show every statement")
    parser.add_argument("--all", action="store_true", help="derived statements, too")


def run(args: argparse.Namespace) -> int:
    old = diff.open_state(args.old, everything=args.all)
    found = diff.compare(old, diff.open_state(args.new, everything=args.all))
    if args.format == "json":
        print(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        _print(found, statements=args.statements)
    return FINE


def _print(found: Difference, *, statements: bool) -> None:
    for change in found.changes:
        size = f"+{len(change.added)} -{len(change.removed)}"
        instead = "".join(f", use <{iri}>" for iri in change.replaced_by)
        name = f"<{change.iri}>  {change.label}{instead}"
        print(f"{_SIGNS[change.kind]} {change.kind:<8} {size:<10} {name}")
        if statements:
            for text in change.removed:
                print(f"    - {text}")
            for text in change.added:
                print(f"    + {text}")
    said = ", ".join(f"{number} {name}" for name, number in found.counts.items())
    print(f"{found.old} to {found.new}: {said}")
