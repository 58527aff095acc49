"""A progress bar, when somebody is watching."""

from __future__ import annotations

import sys
from typing import TextIO

WIDTH = 30


class Bar:
    """Called with (what, done, total); draws on a terminal and keeps quiet anywhere else."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.shown = not quiet and self.stream.isatty()
        self.last = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        if not self.shown:
            return
        filled = WIDTH * done // max(total, 1)
        line = (
            f"{what:<12} [{'#' * filled}{'.' * (WIDTH - filled)}] {100 * done // max(total, 1):3d}%"
        )
        if line == self.last:
            return
        self.last = line
        self.stream.write(f"\r{line}\x1b[K")
        if done >= total:
            self.stream.write("\r\x1b[K")
        self.stream.flush()
