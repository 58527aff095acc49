"""Write Turtle files and mapping tables in the one canonical form.

Without names it does all files of the graph. A file that cannot be read, or that carries what the
form has no place for (comments, blank node labels), is left alone and reported.

example:
  neuromodkg format                                   every file of the graph
  neuromodkg format data/sources/doi-10.1111-x.ttl    one file
  neuromodkg format --check                           change nothing, exit 1 if something would
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from publisher import corpus, graph, mappings, turtle
from publisher.cli.main import FINDINGS, FINE
from publisher.cli.places import add_format, home_of
from publisher.cli.progress import Bar
from publisher.errors import InputError, UsageError
from publisher.graph import Graph


def add(parser: argparse.ArgumentParser) -> None:
    add_format(parser)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="only these files")
    parser.add_argument("--check", action="store_true", help="write nothing")


def run(args: argparse.Namespace) -> int:
    root = home_of(args).root
    about = graph.read(root)
    paths = [*map(_exists, args.files)] or [root / path for path in _all(root)]
    bar = Bar(quiet=args.quiet)
    changed: list[str] = []
    refused: list[InputError] = []
    for done, path in enumerate(paths, 1):
        shown = _shown(path, root)
        try:
            if _format(path, shown, about, write=not args.check):
                changed.append(shown)
        except InputError as error:
            refused.append(error)
        bar("formatting", done, len(paths))
    _print(changed, refused, len(paths), args)
    return FINDINGS if refused or (args.check and changed) else FINE


def _all(root: Path) -> list[str]:
    return [
        path
        for path in corpus.find(root)
        if path.endswith((".ttl", ".sssom.tsv")) and corpus.EXAMPLES not in path
    ]


def _exists(path: Path) -> Path:
    if not path.is_file():
        raise UsageError("is no file", where=str(path))
    if not path.name.endswith((".ttl", ".sssom.tsv")):
        raise UsageError(
            "is neither Turtle (.ttl) nor a mapping table (.sssom.tsv)", where=str(path)
        )
    return path


def _shown(path: Path, root: Path) -> str:
    absolute = path.resolve()
    within = absolute.is_relative_to(root.resolve())
    return absolute.relative_to(root.resolve()).as_posix() if within else str(path)


def _format(path: Path, shown: str, about: Graph, *, write: bool) -> bool:
    """Whether the file is (or would be) changed; it is replaced whole or not at all."""
    text = path.read_bytes().decode("utf-8", errors="strict")
    wanted = canonical(text, shown, about)
    if wanted == text:
        return False
    if write:
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(wanted.encode())
        beside.chmod(path.stat().st_mode)
        beside.replace(path)
    return True


def canonical(text: str, shown: str, about: Graph) -> str:
    if shown.endswith(".sssom.tsv"):
        return mappings.write(mappings.parse(text, file=shown, name=graph.stem(shown)))
    stem = graph.stem(shown)
    return turtle.format_text(text, prefixes=about.prefixes, file=shown, stem=stem)


def _print(
    changed: list[str], refused: list[InputError], total: int, args: argparse.Namespace
) -> None:
    if args.format == "json":
        errors = [
            {"file": e.file, "line": e.line, "message": e.what, "fix": e.fix} for e in refused
        ]
        result = {"files": total, "changed": changed, "refused": errors}
        print(json.dumps(result, indent=2, ensure_ascii=False))
        return
    for name in changed:
        print(f"{'would change' if args.check else 'changed'} {name}")
    for error in refused:
        print(error, file=sys.stderr)
    doing = "to change" if args.check else "changed"
    print(f"{total} files: {len(changed)} {doing}, {len(refused)} refused")
