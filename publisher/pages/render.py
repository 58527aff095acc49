"""Templates → text. Everything is escaped; nothing but our own SVG counts as markup already."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from publisher.pages.assets import ASSETS


@dataclass(frozen=True)
class Shell:
    """What every page has around its content."""

    title: str
    site_title: str
    release: str
    disclaimer: str
    prefix: str
    menu: Sequence[Mapping[str, str]]
    path: str = ""
    description: str = ""
    canonical: str = ""
    alternates: Sequence[Mapping[str, str]] = ()
    data: Any = None  # JSON-LD of the page
    feedback: str = ""
    language: str = "en"
    scripts: Sequence[str] = ()
    crumbs: Sequence[tuple[str, str]] = field(default_factory=tuple)
    searched: str = ""


def render(template: str, shell: Shell, **values: Any) -> bytes:
    """A whole page; what UTF-8 cannot carry (lone surrogates) is replaced."""
    text = _ENVIRONMENT.get_template(template).render(shell=shell, **values)
    return text.encode("utf-8", "replace")


def data_block(value: Any) -> Markup:
    """JSON for a data block; what could end the block is written as an escape."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)  # noqa: S704 - escaped above


def number(value: float) -> str:
    """Thousands apart by a thin space.

    >>> number(55866)
    '55\\u202f866'
    """
    return f"{value:,}".replace(",", "\u202f")


def size(value: int) -> str:
    """Bytes for people.

    >>> size(1_500_000)
    '1.5 MB'
    """
    for unit, amount in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if value >= amount:
            return f"{value / amount:.1f} {unit}"
    return f"{value} bytes"


def words(variable: str) -> str:
    """A variable's name as words.

    >>> words("outcomeText")
    'outcome text'
    """
    return "".join(f" {c.lower()}" if c.isupper() else c for c in variable).strip()


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        number=number, size=size, words=words, data_block=data_block, quoted=quote, form=urlencode
    )
    made.globals["asset"] = ASSETS.path
    return made


_ENVIRONMENT = _environment()
