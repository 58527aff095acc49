"""Reads the command line, runs one command, turns errors into words and exit codes."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import publisher
from publisher.errors import MalformedQuery, NoRelease, PublisherError, UsageError

# Each command is a module with `add(parser)` and `run(args) -> int`; its docstring is its help.
# Only the one that is called is imported: `format --help` need not wait for a web server.
COMMANDS = {
    "format": "write files in the canonical form",
    "check": "judge the graph: form, names, links, identifiers, shapes",
    "build": "check, and make a release",
    "serve": "serve a release over HTTP",
    "query": "ask a release or a remote service in SPARQL",
    "diff": "say what changed between two releases",
    "mint": "take the next free number, or name a source, and write a skeleton",
    "mcp": "offer the graph to agents (Model Context Protocol)",
}

FINE, FINDINGS, WRONG_USE = 0, 1, 2
# As a shell tells the signals that end other commands in these cases.
INTERRUPTED, PIPE_CLOSED = 130, 141
_CODES: tuple[tuple[type[PublisherError], int], ...] = (
    (UsageError, WRONG_USE),
    (NoRelease, WRONG_USE),
    (MalformedQuery, WRONG_USE),
    (PublisherError, FINDINGS),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the console script exits with what this returns."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        args = parser(words).parse_args(words)
        command = _module(args.command)
        code: int = command.run(args)
        sys.stdout.flush()
    except PublisherError as error:
        print(f"neuromodkg: {error}", file=sys.stderr)
        return next(code for family, code in _CODES if isinstance(error, family))
    except BrokenPipeError:
        # The reader (`| head`) has left. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the command among `words` gets its own arguments."""
    top = argparse.ArgumentParser(
        prog="neuromodkg",
        description="An open knowledge graph of neuromodulation, and its publisher.",
        epilog="example: neuromodkg check && neuromodkg serve --port 8080\n"
        "exit codes: 0 fine, 1 findings, 2 wrong use",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"neuromodkg {publisher.__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    called = next((word for word in words if word in COMMANDS), None)
    for name, about in COMMANDS.items():
        if name != called:
            commands.add_parser(name, help=about)
            continue
        module = _module(name)
        own = commands.add_parser(
            name,
            help=about,
            description=(module.__doc__ or "").partition("\nexample")[0],
            epilog="example" + (module.__doc__ or "").partition("\nexample")[2].rstrip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _add_common(own)
        module.add(own)
    return top


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"publisher.cli.{name}_command")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        help="folder with ontology/ data/ shapes/ (default: here)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
