"""Bodies of forms: `application/x-www-form-urlencoded` and `multipart/form-data` → fields."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.exceptions import HTTPException
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from publisher.errors import BadRequest, UnsupportedMedia
from publisher.protocol.values import Request, decode_form

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FORMS = (FORM, MULTIPART)
MOST_PARTS = 20


@dataclass(frozen=True)
class Value:
    """One field; `file` is the name of the file that it was, empty for a field that was typed."""

    name: str
    content: bytes
    file: str = ""

    @property
    def text(self) -> str:
        """The content as text; raises BadRequest unless it is UTF-8."""
        return utf8(self.content, self.file or self.name)


def content_type(header: str) -> tuple[str, dict[str, str]]:
    """The media type, and its parameters, in lower case.

    >>> content_type('Text/Turtle; charset="UTF-8"')
    ('text/turtle', {'charset': 'UTF-8'})
    """
    name, *rest = header.split(";")
    pairs = (part.partition("=") for part in rest)
    return name.strip().lower(), {k.strip().lower(): v.strip().strip('"') for k, _, v in pairs}


def utf8(body: bytes, where: str = "the body") -> str:
    """The text of a body, a leading byte order mark left out."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(
            f"{where} is not UTF-8", where=f"byte {error.start}", fix="save it as UTF-8"
        ) from None


def fields(request: Request) -> list[Value]:
    """The fields of a form that was posted."""
    kind, parameters = content_type(request.headers.get("content-type", ""))
    if kind == FORM:
        pairs = decode_form(utf8(request.body))
        return [Value(name, value.encode("utf-8", "replace")) for name, value in pairs]
    if kind != MULTIPART:
        raise UnsupportedMedia(f"{kind or 'a body without a media type'} is no form")
    boundary = parameters.get("boundary", "")
    if not boundary or len(boundary) > 70:  # RFC 2046, section 5.1.1
        raise BadRequest("the parts of the form have no boundary")
    try:
        return _parts(request.body, boundary)
    except (ValueError, HTTPException):
        raise BadRequest("the parts of the form cannot be told apart") from None


def _parts(body: bytes, boundary: str) -> list[Value]:
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=MOST_PARTS)
    decoder.receive_data(body)
    decoder.receive_data(None)
    found: list[Value] = []
    name, file, content = "", "", bytearray()
    while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
        if isinstance(event, Field | File):
            name = event.name or ""
            file = event.filename or "" if isinstance(event, File) else ""
            content = bytearray()
        elif isinstance(event, Data):
            content += event.data
            if not event.more_data:
                found.append(Value(name, bytes(content), file))
    return found
