"""Text from strangers → statements, each with its line where the format has lines.

Nothing is fetched: a JSON-LD context by address is refused, but for the release's own. Nesting is
measured before anything recursive reads the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pyoxigraph as ox

from publisher import turtle
from publisher.errors import Forbidden, InputError, MalformedData, UnsupportedMedia
from publisher.turtle import Located
from publisher.turtle.reader import DEEPEST, triples

TURTLE, JSON_LD = "turtle", "jsonld"
FORMS = (TURTLE, JSON_LD)
NAME = "submission"
_XML = re.compile(r"\s*<(?:\?xml|!doctype|rdf:rdf\b|html\b)", re.IGNORECASE)
_JSON = re.compile(r"\s*(?:\{|\[\s*[\[{\"\]])")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?')
_PLACE = re.compile(r"line (\d+)(?: between columns? (\d+)| column (\d+))?")


def guess(text: str) -> str:
    """The format that a text seems to be in.

    >>> guess(' {"@id": "ex:a"}'), guess("[ a <ex:C> ] .")
    ('jsonld', 'turtle')
    """
    return JSON_LD if _JSON.match(text) else TURTLE


def read(
    text: str, form: str, *, context_iri: str, context: Mapping[str, Any], known: tuple[str, ...]
) -> list[Located]:
    """The statements; `known` are prefixes to suggest. Line 0 means that it is not known.

    Raises MalformedData with line and column, Forbidden for a context that would have to be
    fetched, UnsupportedMedia for XML.
    """
    if _XML.match(text):
        raise UnsupportedMedia("this is XML", fix="send Turtle or JSON-LD")
    if (form or guess(text)) == JSON_LD:
        return _json_ld(text, context_iri, context)
    try:
        parsed = turtle.parse(text, file=NAME, known=known)
        return list(triples(parsed.blocks, scope="b"))
    except InputError as error:
        raise MalformedData(
            error.what, line=error.line, column=error.column, fix=error.fix
        ) from None


def _json_ld(text: str, context_iri: str, context: Mapping[str, Any]) -> list[Located]:
    _refuse_depth(text)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise MalformedData(
            f"is not JSON: {error.msg}", line=error.lineno, column=error.colno
        ) from None
    except (RecursionError, ValueError) as error:
        raise MalformedData(f"is not JSON that can be read: {error}") from None
    if not isinstance(document, dict | list):
        raise MalformedData("is no JSON-LD document", fix="send an object or a list of objects")
    own = _with_contexts(document, text, context_iri, context)
    data = json.dumps(own).encode("utf-8", "replace")
    try:
        quads = list(ox.parse(data, format=ox.RdfFormat.JSON_LD))
    except SyntaxError as error:
        raise MalformedData(_without_place(str(error.msg))) from None
    finder = _Finder(text)
    return [Located(quad.triple, finder.line(quad.triple)) for quad in quads]


def _refuse_depth(text: str) -> None:
    """Readers recurse with the nesting, and JSON-LD's takes memory that grows with its square."""
    depth, line = 0, 1
    for piece in re.findall(r"[\[{\]}\n]", _STRING.sub(lambda m: "\n" * m[0].count("\n"), text)):
        if piece == "\n":
            line += 1
        depth += (piece in "[{") - (piece in "]}")
        if depth > DEEPEST:
            raise MalformedData(
                f"brackets are nested more than {DEEPEST} deep",
                line=line,
                fix="give the inner nodes an @id and say the rest beside them",
            )


def _with_contexts(value: Any, text: str, context_iri: str, context: Mapping[str, Any]) -> Any:
    """The document with the release's own context written in; any other address is refused."""
    if isinstance(value, list):
        return [_with_contexts(each, text, context_iri, context) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _context(each, text, context_iri, context)
        if key == "@context"
        else _with_contexts(each, text, context_iri, context)
        for key, each in value.items()
    }


def _context(value: Any, text: str, context_iri: str, context: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_context(each, text, context_iri, context) for each in value]
    if isinstance(value, str):
        if value == context_iri:
            return context.get("@context", context)
        raise _remote(value, text, context_iri)
    if isinstance(value, dict):
        if "@import" in value:
            raise _remote(str(value["@import"]), text, context_iri)
        # a term may have a context of its own
        return _with_contexts(value, text, context_iri, context)
    return value


def _remote(address: str, text: str, context_iri: str) -> Forbidden:
    return Forbidden(
        "a context by its address is not fetched here",
        where=f"line {_Finder(text).of(address)}: {address[:200]}",
        fix=f"write the context into the document, or use {context_iri}",
    )


def _without_place(text: str) -> str:
    return _PLACE.sub("", text).strip(" :")


class _Finder:
    """JSON's readers give no lines: the first one on which the subject's name stands is told."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.known: dict[str, int] = {}

    def line(self, triple: ox.Triple) -> int:
        subject = triple.subject
        if not isinstance(subject, ox.NamedNode):
            return 0
        found = self.known.get(subject.value)
        if found is None:
            # in full, or with a prefix, of which the last part stays
            last = re.split(r"[/#:]", subject.value.rstrip("/#"))[-1]
            tail = rf'"@id"\s*:\s*"[^"]*{re.escape(last)}"' if last else r"(?!)"
            match = re.search(tail, self.text)
            found = self.text.count("\n", 0, match.start()) + 1 if match else 0
            self.known[subject.value] = found
        return found

    def of(self, value: str) -> int:
        """The line of a string value; 0 when it is written otherwise."""
        place = self.text.find(json.dumps(value, ensure_ascii=False))
        return self.text.count("\n", 0, place) + 1 if place >= 0 else 0
