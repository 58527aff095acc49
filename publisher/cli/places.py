"""What several commands share: where the graph is, and how a report is shown."""

from __future__ import annotations

import argparse
import gc
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from publisher import home
from publisher.check.finding import Report
from publisher.home import Home


@contextmanager
def keeping_everything() -> Iterator[None]:
    """Without the cyclic collector: a build keeps all it reads, and walking it over and over for
    garbage that is not there takes a seventh of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def home_of(args: argparse.Namespace) -> Home:
    return home.find(
        root=args.root,
        releases=getattr(args, "releases", None),
        start=Path.cwd(),
        environ=os.environ,
    )


def add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print the result"
    )


def add_releases(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--releases", type=Path, metavar="DIR", help="where releases stand (default: releases/)"
    )


def print_report(report: Report, *, form: str, statements: int) -> None:
    """The findings, violations last so that they are what a terminal shows."""
    if form == "json":
        result = {
            "passed": report.passed,
            "statements": statements,
            "counts": report.counts,
            "findings": [finding.as_json() for finding in report.findings],
        }
        print(json.dumps(result, indent=2, ensure_ascii=False))
        return
    for severity in ("info", "warning", "violation"):
        for finding in report.findings:
            if finding.severity == severity:
                print(finding)
    said = ", ".join(f"{n} {name}{'' if n == 1 else 's'}" for name, n in report.counts.items())
    verdict = "passed" if report.passed else "failed"
    print(f"{verdict}: {statements} statements; {said}")
