"""Serve a release over HTTP; check and build it first when its files have changed.

In a checkout that is the graph around the current folder; anywhere else it is the one that came
with the installation. Every setting is a flag, a variable NEUROMODKG_<NAME> or a line of a TOML
file (--settings).

example:
  neuromodkg serve
  neuromodkg serve --host 0.0.0.0 --port 8080
  neuromodkg serve --release releases/2026-10-01.5d0c1a2b --query-seconds 10
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

from publisher import release, settings
from publisher.cli.build_command import current, describe, make
from publisher.cli.main import FINDINGS, FINE
from publisher.cli.places import add_releases, home_of
from publisher.errors import UsageError


def add(parser: argparse.ArgumentParser) -> None:
    add_releases(parser)
    parser.add_argument("--release", type=Path, metavar="DIR", help="serve this release as it is")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (TOML)")
    group = parser.add_argument_group("settings")
    for row in settings.table():
        unit = row.metadata["unit"] or "VALUE"
        default = " ".join(row.default) if isinstance(row.default, tuple) else row.default
        shown = f" (default: {default})" if default != "" else ""
        group.add_argument(
            f"--{row.name.replace('_', '-')}",
            metavar=unit.upper(),
            help=(row.metadata["help"] + shown).replace("%", "%%"),
        )


def run(args: argparse.Namespace) -> int:
    flags = {row.name: getattr(args, row.name) for row in settings.table()}
    chosen = settings.load(args.settings, os.environ, flags)
    _refuse_taken(chosen.host, chosen.port)
    folder = release.read(args.release).path if args.release else _built(args)
    if folder is None:
        return FINDINGS
    from publisher.server.run import serve

    serve(folder, chosen)
    return FINE


def _refuse_taken(host: str, port: int) -> None:
    """Before minutes of building; the server itself shares its port with whoever has it."""
    if not port:
        return
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise UsageError(
            f"cannot be listened on: {error.strerror}",
            where=f"{host}:{port}",
            fix="choose another port (--port, or PORT= with make)",
        ) from error


def _built(args: argparse.Namespace) -> Path | None:
    """The link to the current release: the server follows it when another one is built."""
    home = home_of(args)
    standing = current(home)
    built = standing or make(home, quiet=args.quiet)
    if built is None:
        return None
    print(describe(built, made=standing is None), file=sys.stderr)
    return home.releases / release.CURRENT
