"""Everything that can be set, in one table: name, default, unit, help.

A value comes from a flag, else from the environment (`NEUROMODKG_PORT`), else from a settings
file (TOML, `port = 8000`), else from the table. The result is one frozen value; nothing else reads
the environment.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from publisher.errors import SettingError

ENVIRONMENT = "NEUROMODKG_"


def row(default: Any, unit: str, help: str) -> Any:
    """One line of the table; `unit` is empty for names and addresses."""
    return field(default=default, metadata={"unit": unit, "help": help})


@dataclass(frozen=True)
class Settings:
    """The table. A row's type decides how its text is read; commas or spaces separate lists."""

    # where
    host: str = row("127.0.0.1", "", "address to listen on")
    port: int = row(8000, "", "port to listen on; 0 takes a free one")
    site_url: str = row("", "", "public address of the site, when it is not what the request says")
    prefix: str = row("", "", "path under which the site is mounted, such as /neuromod")
    trusted_proxies: tuple[str, ...] = row(
        (),
        "",
        "addresses whose Forwarded, X-Forwarded-For, -Host, -Proto and -Prefix headers are"
        " believed; such a proxy sets or removes each of them",
    )
    processes: int = row(2, "processes", "serving processes")
    threads: int = row(8, "threads", "threads of each serving process")

    # engine
    engine: tuple[str, ...] = row(
        (), "", "SPARQL services to use instead of the release's own store, first one first"
    )
    query_seconds: float = row(30.0, "seconds", "longest time a query may run")
    query_rows: int = row(0, "rows", "most rows (or triples) an answer may have; 0 for no limit")
    answer_bytes: int = row(512 * 2**20, "bytes", "largest answer to a query")
    query_bytes: int = row(100_000, "bytes", "longest query text")
    body_bytes: int = row(2 * 2**20, "bytes", "largest request body")
    worker_memory: int = row(1024 * 2**20, "bytes", "memory a query's process may take")
    workers: int = row(3, "processes", "queries that a serving process may run at once")
    slow_workers: int = row(2, "processes", "further places, for queries that run long")
    parked_queries: int = row(
        16, "queries", "long queries that may wait, stopped, for such a place"
    )
    slow_after: float = row(0.25, "seconds", "when a query counts as long")
    queue: int = row(100, "queries", "queries of a serving process that may wait for their turn")
    queue_seconds: float = row(10.0, "seconds", "longest time a query waits for its turn")
    answer_seconds: float = row(600.0, "seconds", "longest time an answer may take to be fetched")
    client_seconds: float = row(
        60.0, "seconds", "query time that one client may use each minute; 0 for no limit"
    )
    client_errors: int = row(
        60, "errors", "failed queries that one client may send each minute; 0 for no limit"
    )
    limit_loopback: bool = row(
        False, "", "whether clients on this machine (or a proxy not trusted) are limited, too"
    )
    validate_bytes: int = row(2**20, "bytes", "largest data that /validate takes")
    validate_seconds: float = row(20.0, "seconds", "longest time a validation may take")
    validators: int = row(
        2, "processes", "validations that a serving process may run at once, in further processes"
    )
    service_hosts: tuple[str, ...] = row(
        (), "", "hosts that a query's SERVICE may call; none by default"
    )

    memory_triples: int = row(
        1_000_000,
        "triples",
        "largest release that is held in memory (about 1 kB each); larger ones stay on disk",
    )

    # connections
    connections: int = row(4096, "connections", "open connections of one serving process")
    header_seconds: float = row(15.0, "seconds", "longest time to send a request's headers")
    idle_seconds: float = row(60.0, "seconds", "how long a connection waits for another request")
    body_seconds: float = row(30.0, "seconds", "longest time to send a request's body")
    stall_seconds: float = row(60.0, "seconds", "longest time in which a client takes nothing")
    cache_bytes: int = row(64 * 2**20, "bytes", "replies that one serving process remembers")

    # telling
    log_level: str = row(
        "info", "", "least severe level that is logged: debug, info, warning, error"
    )
    log_format: str = row("text", "", "text or json, one line per request")
    metrics: bool = row(True, "", "whether /metrics answers")


def table() -> tuple[Field[Any], ...]:
    """The rows in their order; metadata holds `unit` and `help`."""
    return fields(Settings)


def document() -> str:
    """The table as `docs/settings.md` has it."""
    lines = [
        "# Settings",
        "",
        "Each is a flag of `neuromodkg serve`, a variable, or a line of the TOML file that",
        "`--settings` names. A flag beats a variable, a variable beats the file.",
        "",
        "| flag | variable | default | unit | what |",
        "|---|---|---|---|---|",
    ]
    for one in table():
        default = ", ".join(one.default) if isinstance(one.default, tuple) else one.default
        shown = f"`{default}`" if default != "" else ""
        flag, variable = f"`--{one.name.replace('_', '-')}`", f"`{ENVIRONMENT}{one.name.upper()}`"
        unit, what = one.metadata["unit"], one.metadata["help"]
        lines.append(f"| {flag} | {variable} | {shown} | {unit} | {what} |")
    return "\n".join(lines) + "\n"


def load(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Settings:
    """Settings from all three places; a flag that is None was not given."""
    values: dict[str, object] = {}
    if file is not None:
        values |= _from_file(file)
    values |= _from_environment(environ or {})
    for name, value in (flags or {}).items():
        if value is not None:
            values[name] = _fit(name, value, f"--{name.replace('_', '-')}")
    return Settings(**values)  # type: ignore[arg-type]


def _from_file(file: Path) -> dict[str, object]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"is not TOML: {error}", where=str(file)) from error
    return {name: _fit(name, value, f"{file}: {name}") for name, value in found.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    return {
        name: _fit(name, value, key)
        for key, value in environ.items()
        if key.startswith(ENVIRONMENT) and (name := key.removeprefix(ENVIRONMENT).lower())
    }


def _fit(name: str, value: object, where: str) -> object:
    """`value` as the row's type; text is read, everything else must be of the type already."""
    wanted = get_type_hints(Settings).get(name)
    if wanted is None:
        near = difflib.get_close_matches(name, [f.name for f in table()], n=1)
        raise SettingError(
            "is not a setting", where=where, fix=f"did you mean {near[0]}?" if near else ""
        )
    try:
        return _read(value, wanted)
    except ValueError as error:
        unit = next(f for f in table() if f.name == name).metadata["unit"]
        raise SettingError(
            f"is {value!r}",
            where=where,
            fix=f"expected {_wording(wanted)}{f' ({unit})' if unit else ''}",
        ) from error


def _read(value: object, wanted: type) -> object:
    if wanted is bool:
        return _truth(value)
    if wanted in (int, float):
        allowed = (str, int) if wanted is int else (str, int, float)
        if isinstance(value, bool) or not isinstance(value, allowed):
            raise ValueError
        number = int(value) if wanted is int else float(value)
        if number < 0 or number != number:
            raise ValueError
        return number
    if wanted is str:
        if not isinstance(value, str):
            raise ValueError
        return value
    parts = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(p, str) for p in parts):
        raise ValueError
    return tuple(parts)


def _truth(value: object) -> bool:
    truths = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in truths:
        return truths[value.lower()]
    raise ValueError


def _wording(wanted: type) -> str:
    words = {
        bool: "true or false",
        int: "a whole number, 0 or more",
        float: "a number, 0 or more",
        str: "text",
    }
    return words.get(wanted, "a list of texts")


assert all(f.default is not MISSING for f in table()), "every setting has a default"


if __name__ == "__main__":
    print(document(), end="")
