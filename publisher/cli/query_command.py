"""Ask a SPARQL question: of the current release, of another one, or of a remote service.

The question is an argument, a file (-f FILE), or standard input (-). The graph's prefixes need not
be declared. A table is for reading; json, csv, tsv and xml (SELECT, ASK), and turtle, ntriples,
rdfxml (CONSTRUCT, DESCRIBE) are for programs.

example:
  neuromodkg query 'SELECT ?t ?name { ?t a nmo:Therapy ; skos:prefLabel ?name } LIMIT 5'
  neuromodkg query -f question.rq --format csv > answer.csv
  neuromodkg query -f question.rq --endpoint https://example.org/sparql
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from publisher import ask, graph, release
from publisher.cli.main import FINE
from publisher.cli.places import add_releases, home_of
from publisher.errors import UsageError
from publisher.names import Prefixes


def add(parser: argparse.ArgumentParser) -> None:
    add_releases(parser)
    parser.add_argument("query", nargs="?", metavar="QUERY", help="the question, or - to read it")
    parser.add_argument("-f", "--file", type=Path, help="a file with the question")
    parser.add_argument("--release", type=Path, metavar="DIR", help="ask this release")
    parser.add_argument("--endpoint", metavar="URL", help="ask this SPARQL service")
    parser.add_argument("--timeout", type=float, default=60, metavar="SECONDS", help="of a service")
    parser.add_argument(
        "--format", choices=("table", *ask.FORMATS), default="table", help="how to print the answer"
    )


def run(args: argparse.Namespace) -> int:
    text = _question(args)
    if args.endpoint:
        prefixes = _known_prefixes(args)
        answer = ask.remote(args.endpoint, text, args.format, prefixes, timeout=args.timeout)
    else:
        found = release.read(args.release or home_of(args).releases)
        answer = ask.local(found, text, args.format, graph.read_release(found.path).prefixes)
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    return FINE


def _question(args: argparse.Namespace) -> str:
    if (args.query is None) == (args.file is None):
        raise UsageError("give one question", fix="as an argument, with -f FILE, or - for stdin")
    if args.query == "-":
        return sys.stdin.read()
    if args.query is not None:
        return str(args.query)
    try:
        return str(args.file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(args.file)) from error


def _known_prefixes(args: argparse.Namespace) -> Prefixes:
    try:
        return graph.read(home_of(args).root).prefixes
    except UsageError:
        return Prefixes(())
