"""One line per request, as text or JSON, to standard error; nothing of a query's text is kept."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


@dataclass(frozen=True)
class Served:
    """What is said of one request."""

    request: str
    method: str
    path: str
    status: int
    milliseconds: float
    client: str
    note: str = ""

    @property
    def level(self) -> int:
        """Our own failures are errors, refusals are not."""
        return logging.ERROR if self.status == 500 else logging.INFO


class JsonLines(logging.Formatter):
    """Every record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        content: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "room": record.name,
            "message": record.getMessage(),
        }
        served = getattr(record, "served", None)
        if isinstance(served, Served):
            content |= {key: value for key, value in vars(served).items() if value != ""}
        if record.exc_info:
            content["trace"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=True)


class TextLines(logging.Formatter):
    """The same for eyes."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; control characters of a path must not reach a terminal."""
        when = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S")
        text = record.getMessage().encode("unicode_escape").decode("ascii")
        trace = "\n" + self.formatException(record.exc_info) if record.exc_info else ""
        return f"{when} {record.levelname.lower():7} {text}{trace}"


def configure(level: str, form: str) -> None:
    """Send what the publisher says to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    room = logging.getLogger("publisher")
    room.handlers[:] = [handler]
    room.setLevel(LEVELS.get(level, logging.INFO))
    room.propagate = False


def served(log: logging.Logger, line: Served) -> None:
    """Say that a request was served."""
    if log.isEnabledFor(line.level):
        text = f"{line.method} {line.path} {line.status} {line.milliseconds:.1f} ms"
        text = f"{text} {line.client} {line.request} {line.note}".rstrip()
        log.log(line.level, "%s", text, extra={"served": line})
