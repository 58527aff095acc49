"""Judge the graph and say what is wrong, where, and how to mend it.

Violations stop a release (exit code 1); warnings are counted; infos are listed.

example:
  neuromodkg check
  neuromodkg check --format json | jq '.findings[] | select(.severity == "violation")'
"""

from __future__ import annotations

import argparse

from publisher import check, corpus
from publisher.cli.main import FINDINGS, FINE
from publisher.cli.places import add_format, home_of, print_report
from publisher.cli.progress import Bar


def add(parser: argparse.ArgumentParser) -> None:
    add_format(parser)
    parser.add_argument("--processes", type=int, metavar="N", help="processes for the shapes")


def run(args: argparse.Namespace) -> int:
    bar = Bar(quiet=args.quiet)
    found = corpus.read(home_of(args).root, progress=bar)
    report = check.judge(found, progress=bar, processes=args.processes)
    statements = sum(len(file.facts) for file in found.files)
    print_report(report, form=args.format, statements=statements)
    return FINE if report.passed else FINDINGS
