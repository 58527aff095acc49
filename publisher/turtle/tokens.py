"""Cuts Turtle into tokens with their lines.

Whether a text is Turtle is for pyoxigraph to say (it passes the W3C suite); it says nothing about
lines, so this cutter runs over texts that are known to be good and may be lenient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Token(NamedTuple):
    kind: str
    text: str
    line: int


# PN_CHARS_BASE, PN_CHARS and the rest, as the grammar of Turtle lists them
_BASE = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_CHARS = rf"{_BASE}_0-9\-\u00b7\u0300-\u036f\u203f-\u2040"
_PREFIX = rf"[{_BASE}](?:[{_CHARS}.]*[{_CHARS}])?"
_ESCAPED = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%]"
# A name does not end in a dot, unless the dot is escaped: the dot ends the statement.
_LOCAL = rf"(?:[{_CHARS}.:]+|{_ESCAPED})*(?:(?<!\.)|(?<=\\\.))"
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)"""
    r"""|(?P<comment>\#[^\r\n]*)"""
    r"""|(?P<iri><[^<>"{}|^`\x00-\x20]*>)"""
    r'''|(?P<string>"""(?:[^"\\]|\\.|"(?!""))*"""|'''
    r"""'''(?:[^'\\]|\\.|'(?!''))*'''|"""
    r""""(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')"""
    r"""|(?P<directive>@prefix\b|@base\b)"""
    r"""|(?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)"""
    r"""|(?P<datatype>\^\^)"""
    rf"""|(?P<blank>_:[{_CHARS}](?:[{_CHARS}.]*[{_CHARS}])?)"""
    rf"""|(?P<name>(?:{_PREFIX})?:{_LOCAL})"""
    r"""|(?P<number>[+-]?(?:[0-9]+\.[0-9]*[eE][+-]?[0-9]+|\.?[0-9]+[eE][+-]?[0-9]+"""
    r"""|[0-9]*\.[0-9]+|[0-9]+))"""
    r"""|(?P<word>[A-Za-z]+)"""
    r"""|(?P<mark>[.;,\[\]()])""",
    re.DOTALL,
)


def cut(text: str) -> Iterator[Token]:
    """Every token but white space; the last one has kind `end`. `other` is what fits nothing."""
    line, at, size = 1, 0, len(text)
    while at < size:
        match = _TOKEN.match(text, at)
        if match is None:
            yield Token("other", text[at], line)
            at += 1
            continue
        kind, piece = match.lastgroup or "other", match.group()
        if kind != "space":
            yield Token(kind, piece, line)
        if kind in ("space", "string"):
            line += piece.count("\n")
        at = match.end()
    yield Token("end", "", line)
