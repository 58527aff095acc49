"""Judge the graph and say what is wrong, where, and how to mend it.

Violations stop a release (exit code 1); warnings are counted; infos are listed. With names, only
what is wrong in these files is told: quicker while writing, and not enough for a release.

example:
  neuromodkg check
  neuromodkg check data/sources/doi-10.1111-ner.12208.ttl
  neuromodkg check --format json | jq '.findings[] | select(.severity == "violation")'
"""

from __future__ import annotations

import argparse
from pathlib import Path

from publisher import check, corpus
from publisher.cli.main import FINDINGS, FINE
from publisher.cli.places import add_format, home_of, keeping_everything, print_report
from publisher.cli.progress import Bar
from publisher.errors import UsageError


def add(parser: argparse.ArgumentParser) -> None:
    add_format(parser)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="only these files")
    parser.add_argument("--processes", type=int, metavar="N", help="processes for the shapes")


def run(args: argparse.Namespace) -> int:
    bar = Bar(quiet=args.quiet)
    root = home_of(args).root
    only = [_path(file, root) for file in args.files]
    with keeping_everything():
        found = corpus.read(root, progress=bar)
        report = check.judge(found, only=only, progress=bar, processes=args.processes)
    statements = sum(len(file.facts) for file in found.files)
    print_report(report, form=args.format, statements=statements)
    return FINE if report.passed else FINDINGS


def _path(file: Path, root: Path) -> str:
    """The file as the corpus names it."""
    if not file.is_file():
        raise UsageError("is no file", where=str(file))
    if not file.resolve().is_relative_to(root.resolve()):
        raise UsageError(f"is not in the graph under {root}", where=str(file))
    return file.resolve().relative_to(root.resolve()).as_posix()
