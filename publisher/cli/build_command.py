"""Check the graph and make a release of it: downloads, store, description, search index.

Nothing is done when the current release was made from just the same files. A release is built
beside the others and becomes the current one in one step. The same files give the same downloads,
byte for byte; store and search index then hold the same, but their files may differ. With --load,
the release's named graphs are put into another engine, each replacing the one of its name (SPARQL
1.1 Graph Store Protocol); a user and password may stand in the address.

Each release tells what changed since the one before it, so keep older ones in the folder.

example:
  neuromodkg build
  neuromodkg build --previous ../kept/2026-10-01.5d0c1a2b
  neuromodkg build --force --format json
  neuromodkg build --load https://admin:secret@example.org/rdf-graph-store
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from publisher import corpus, load, release
from publisher.cli.main import FINDINGS, FINE
from publisher.cli.places import (
    add_format,
    add_releases,
    home_of,
    keeping_everything,
    print_report,
)
from publisher.cli.progress import Bar
from publisher.home import Home, display
from publisher.release import Release


def add(parser: argparse.ArgumentParser) -> None:
    add_format(parser)
    add_releases(parser)
    parser.add_argument("--force", action="store_true", help="build even if nothing has changed")
    parser.add_argument(
        "--previous",
        type=Path,
        metavar="DIR",
        help="tell what changed since this release (default: the newest older one in --releases)",
    )
    parser.add_argument("--load", metavar="URL", help="fill this graph store from the release")
    parser.add_argument("--processes", type=int, metavar="N", help="processes for the shapes")


def run(args: argparse.Namespace) -> int:
    home = home_of(args)
    previous = release.read(args.previous) if args.previous else None
    standing = None if args.force else current(home, previous)
    built = standing or make(
        home, quiet=args.quiet, processes=args.processes, form=args.format, previous=previous
    )
    if built is None:
        return FINDINGS
    if args.load:
        load.fill(args.load, built, progress=Bar(quiet=args.quiet))
    _print(built, made=standing is None, form=args.format)
    return FINE


def current(home: Home, previous: Release | None = None) -> Release | None:
    """The current release, if nothing has changed since it was made."""
    return release.standing(home.releases, release.inputs_of(corpus.digest(home.root)), previous)


def make(
    home: Home,
    *,
    quiet: bool,
    processes: int | None = None,
    form: str = "text",
    previous: Release | None = None,
) -> Release | None:
    """Check and build; None when there are violations, which are printed."""
    # pyshacl and rdflib take most of a second to import, and a server that finds its release
    # standing needs neither.
    from publisher import build, check

    bar = Bar(quiet=quiet)
    with keeping_everything():
        found = corpus.read(home.root, progress=bar)
        report = check.judge(found, progress=bar, processes=processes)
        if report.passed:
            built = build.build(found, report, home.releases, previous=previous, progress=bar)
            return release.read(built)
    statements = sum(len(file.facts) for file in found.files)
    print_report(report, form=form, statements=statements)
    return None


def _print(built: Release, *, made: bool, form: str) -> None:
    if form == "json":
        result = {
            "release": built.name,
            "path": str(built.path),
            "made": made,
            "triples": built.manifest["triples"],
            "graphs": len(built.manifest["graphs"]),
        }
        print(json.dumps(result, indent=2))
        return
    print(describe(built, made=made), file=sys.stdout)


def describe(built: Release, *, made: bool) -> str:
    doing = "built" if made else "unchanged"
    triples, graphs = built.manifest["triples"], len(built.manifest["graphs"])
    size = f"{triples} triples in {graphs} graphs"
    return f"{doing}: release {built.name}, {size}, {display(built.path)}"
