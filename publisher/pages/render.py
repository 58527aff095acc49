"""Templates → text. Everything is escaped; nothing but our own SVG counts as markup already."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from publisher.pages.assets import ASSETS
from publisher.pages.svg import dot_of


@dataclass(frozen=True)
class Shell:
    """What every page has around its content."""

    title: str
    site_title: str
    release: str
    disclaimer: str
    caution: str
    shapes: bool  # whether the release has any
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
    stances: Sequence[Any] = ()  # in their order: mark, side, words
    notes: Mapping[str, str] = field(default_factory=dict)


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


def ticked(text: str) -> Markup:
    """Words between backticks as code.

    >>> ticked("end it with ` .`")
    Markup('end it with <code> .</code>')
    """
    parts = [escape(part) for part in text.split("`")]
    made = "".join(f"<code>{p}</code>" if i % 2 else str(p) for i, p in enumerate(parts))
    return Markup(made)  # noqa: S704 - every part is escaped


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


class Linked(Protocol):
    """What `anchor` needs of a link."""

    @property
    def text(self) -> str: ...
    @property
    def href(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def foreign(self) -> bool: ...
    @property
    def cut(self) -> int: ...


def anchor(link: Linked) -> Markup:
    """A link, or a text that leads nowhere; in Python because a page has thousands."""
    language = f' lang="{escape(link.language)}"' if link.language not in ("", "en") else ""
    text = escape(link.text)
    cut = ""
    if link.cut:
        shown = number(link.cut)
        cut = (
            f' <span class="quiet">(the first part of {shown} characters; the data have all)</span>'
        )
    if link.href:
        note = f' title="{escape(link.note)}"' if link.note else ""
        far = ' rel="external"' if link.foreign else ""
        made = f'<a href="{escape(link.href)}"{note}{far}><bdi{language}>{text}</bdi></a>{cut}'
    else:
        note = f' <span class="quiet">({escape(link.note)})</span>' if link.note else ""
        made = f'<bdi class="text"{language}>{text}</bdi>{note}{cut}'
    return Markup(made)  # noqa: S704 - every part is escaped


class Told(Protocol):
    """What `cells` needs of a cell."""

    @property
    def link(self) -> Linked: ...
    @property
    def flag(self) -> Any: ...
    @property
    def stance(self) -> Any: ...
    @property
    def lead(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def small(self) -> bool: ...


class Tabled(Protocol):
    """What `table_rows` needs of a table."""

    @property
    def heads(self) -> Sequence[Any]: ...
    @property
    def rows(self) -> Sequence[Sequence[Sequence[Told]]]: ...


def table_rows(table: Tabled) -> Markup:
    """The rows of a table; each cell says its column, for windows too narrow for columns."""
    opening = []
    for head in table.heads:
        kind = f'<td class="{"num " if head.numeric else ""}of-{escape(head.name)}"'
        filled = f' data-head="{escape(head.word)}">' if head.word else ">"
        opening.append((f"{kind}{filled}", f"{kind} data-none>"))
    made = []
    for row in table.rows:
        made.append("<tr>")
        for (filled, empty), group in zip(opening, row, strict=True):
            told = len(group) > 1 or (group and group[0].link.text)
            made.append(f"{filled if told else empty}{cells(group) if told else ''}</td>")
        made.append("</tr>\n")
    return Markup("".join(made))  # noqa: S704 - every part is escaped


@lru_cache(maxsize=64)
def _stance(side: str, mark: str, name: str) -> Markup:
    form = Markup(
        '<span class="stance tone-{}"><span class="mark" aria-hidden="true">{}</span> {}</span>'
    )
    return form.format(side, mark, name)


def cells(group: Sequence[Told]) -> Markup:
    """A table cell: its lines, and the small ones under them; in Python as `anchor` is."""
    made: list[str] = []
    for cell in group:
        shown = anchor(cell.link)
        if cell.small:
            lead, after = escape(cell.lead), f" ({escape(cell.after)})" if cell.after else ""
            made.append(f'<span class="on">{lead}{" " if lead else ""}{shown}{after}</span>')
            continue
        if cell.stance:
            shown = _stance(cell.stance.side, cell.stance.mark, cell.stance.name)
        flag = ""
        if cell.flag:
            grave = " grave" if cell.flag.grave else ""
            flag = f'<strong class="flag{grave}">{escape(cell.flag.word)}</strong> '
        made.append(f"{'<br>' if made else ''}{flag}{shown}")
    return Markup("".join(made))  # noqa: S704 - every part is escaped


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
        number=number,
        size=size,
        ticked=ticked,
        words=words,
        data_block=data_block,
        quoted=quote,
        form=urlencode,
    )
    made.globals |= {
        "asset": ASSETS.path,
        "anchor": anchor,
        "cells": cells,
        "table_rows": table_rows,
        "dot": dot_of,
    }
    return made


_ENVIRONMENT = _environment()
