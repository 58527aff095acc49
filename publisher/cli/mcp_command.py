"""Offer the graph to agents: a Model Context Protocol server on standard input and output.

Tools: search, describe, evidence (for graphs with a map of pairs), vocabulary, sparql,
list_queries, run_query. All of them only read; queries have the limits of the settings
(NEUROMODKG_QUERY_SECONDS ...). It takes the current release, or builds one when there is none.
Nothing but the protocol is written to standard output.

example:
  neuromodkg mcp
  neuromodkg mcp --release releases/2026-10-01.5d0c1a2b

in a client's settings:
  {"mcpServers": {"neuromodkg": {"command": "neuromodkg", "args": ["mcp"]}}}
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

import publisher
from publisher import release, settings
from publisher.cli.build_command import make
from publisher.cli.main import FINDINGS, FINE
from publisher.cli.places import add_releases, home_of
from publisher.errors import ReleaseError


def add(parser: argparse.ArgumentParser) -> None:
    add_releases(parser)
    parser.add_argument("--release", type=Path, metavar="DIR", help="offer this release")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")


def run(args: argparse.Namespace) -> int:
    # Whatever else writes to standard output would be taken for a message.
    line = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    known = settings.load(args.settings, os.environ)
    folder = _release(args)
    if folder is None:
        return FINDINGS
    from publisher.engine.embedded import Embedded
    from publisher.engine.pool import Lanes
    from publisher.mcp import server_of
    from publisher.protocol.values import open_site

    lanes = Lanes(
        fast=min(2, known.workers),
        slow=1,
        queue=known.queue,
        queue_seconds=known.queue_seconds,
        slow_after=known.slow_after,
        memory=known.worker_memory,
    )
    engine = Embedded(folder, lanes)
    try:
        site = open_site(folder, engine, known)
        server_of(site, publisher.__version__).serve(sys.stdin.buffer, line)
    finally:
        engine.close()
    return FINE


def _release(args: argparse.Namespace) -> Path | None:
    if args.release:
        return release.read(args.release).path
    home = home_of(args)
    try:
        return release.read(home.releases).path
    except ReleaseError:
        print("there is no release yet: building one", file=sys.stderr)
    built = make(home, quiet=True)
    return built.path if built is not None else None
