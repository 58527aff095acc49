"""Every error of the publisher, in one tree.

Anything that goes wrong here is a `PublisherError`: it says *what* is wrong, *where*,
and *how to mend it*.

    PublisherError
    ├── UsageError              the command or its settings were used wrongly (exit code 2)
    │   └── SettingError        a setting is unknown or its value does not fit
    ├── InputError              a file of the graph cannot be read; where = file:line
    │   ├── TurtleSyntax        the text is not Turtle
    │   ├── TurtleForm          it is Turtle, but has no canonical form (comments, _:labels)
    │   ├── MappingSyntax       a mapping table is not SSSOM
    │   ├── QueryFault          a rule, an edition or a stored query is not SPARQL, or not usable
    │   └── GraphSettings       ontology/graph.toml or prefixes.tsv is wrong
    ├── ReleaseError            a release cannot be made or opened
    │   ├── CheckFailed         the corpus has violations, so no release is made of it
    │   ├── NoRelease           what was named as one is none (exit code 2, too)
    │   └── ReleaseDamaged      a file of the release is missing or its sum differs
    └── RequestError            somebody asked for something that will not be answered
        ├── BadRequest          the request makes no sense
        │   └── Malformed       a text that was sent cannot be read; where = line:column
        │       ├── MalformedQuery  it is not SPARQL
        │       └── MalformedData   it is not RDF in the format that it claims
        ├── Forbidden           understood, and refused (SERVICE, FROM a remote address, an update)
        ├── NotFound            nothing is known at this address
        ├── MethodNotAllowed    the address is known, the method is not for it
        ├── NotAcceptable       no offered representation fits the Accept header
        ├── Gone                it was retired; says what replaces it
        ├── TooLarge            the body, the query or the answer is over its limit
        ├── HeadersTooLarge     its headers are
        ├── RequestTimedOut     it did not come in time
        ├── UnsupportedMedia    the body's media type is not understood
        │   └── UnsupportedCoding   the body is compressed
        └── EngineError         the engine could not answer
            ├── QueryTimeout    the query ran out of its time
            ├── QueryTooCostly  the query ran out of its memory, rows or bytes
            ├── Overloaded      every place is taken; try again after `retry_after` seconds
            │   └── TooManyRequests this client used up its share; the same
            └── EngineUnavailable   the engine died or cannot be reached

The command line maps families to exit codes (`cli`), the web maps them to statuses (`protocol`);
each has one table.
"""

from __future__ import annotations


class PublisherError(Exception):
    """Root of the tree; `where` is what a reader would look up: file:line, IRI, header."""

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        head = f"{self.where} {self.what}" if self.where else self.what
        return f"{head} — {self.fix}" if self.fix else head

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (type(self), self.args, self.__dict__)


def _again(
    family: type[PublisherError], args: tuple[object, ...], state: dict[str, object]
) -> PublisherError:
    """An error that came from another process; exceptions pickle badly when they take keywords."""
    error = family.__new__(family, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(PublisherError):
    """The command was used wrongly."""


class SettingError(UsageError):
    """A setting is unknown, or its value does not fit; `where` is the file, variable or flag."""


class InputError(PublisherError):
    """A file of the graph cannot be read as what it claims to be."""

    def __init__(
        self, what: str, *, file: str, line: int = 0, column: int = 0, fix: str = ""
    ) -> None:
        place = ":".join([file, *(str(n) for n in (line, column) if n)])
        super().__init__(what, where=place, fix=fix)
        self.file = file
        self.line = line
        self.column = column


class TurtleSyntax(InputError):
    """The text is not Turtle."""


class TurtleForm(InputError):
    """The text is Turtle, but carries what the canonical form has no place for."""


class MappingSyntax(InputError):
    """A mapping table is not SSSOM."""


class QueryFault(InputError):
    """A rule, an edition or a stored query is not SPARQL, or cannot be used as it is."""


class GraphSettings(InputError):
    """The files that tell the publisher about this graph are wrong."""


class ReleaseError(PublisherError):
    """A release cannot be made or opened."""


class CheckFailed(ReleaseError):
    """The corpus has violations."""


class NoRelease(ReleaseError):
    """What was named as a release is none."""


class ReleaseDamaged(ReleaseError):
    """A file of the release is missing, or is not the file that was built."""


class RequestError(PublisherError):
    """Somebody asked for something that will not be answered."""


class BadRequest(RequestError):
    """The request makes no sense."""


class Malformed(BadRequest):
    """A text cannot be read; `line` and `column` count from 1, 0 when the parser did not say."""

    def __init__(self, what: str, *, line: int = 0, column: int = 0, fix: str = "") -> None:
        place = f"line {line}, column {column}" if column else f"line {line}"
        super().__init__(what, where=place if line else "", fix=fix)
        self.line = line
        self.column = column


class MalformedQuery(Malformed):
    """The query is not SPARQL."""


class MalformedData(Malformed):
    """The data are not RDF in the format that they claim."""


class Forbidden(RequestError):
    """The request was understood and is refused."""


class NotFound(RequestError):
    """Nothing is known at this address."""


class MethodNotAllowed(RequestError):
    """The address is known, the method is not for it."""

    def __init__(
        self, what: str, *, allowed: tuple[str, ...], where: str = "", fix: str = ""
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.allowed = allowed


class NotAcceptable(RequestError):
    """No offered representation fits; `offered` lists the media types that would."""

    def __init__(
        self, what: str, *, offered: tuple[str, ...] = (), where: str = "", fix: str = ""
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.offered = offered


class Gone(RequestError):
    """The entity was retired; `replacement` is the IRI that stands in its place, if any."""

    def __init__(self, what: str, *, replacement: str = "", where: str = "", fix: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.replacement = replacement


class TooLarge(RequestError):
    """The body, the query or the answer is over its limit."""


class HeadersTooLarge(RequestError):
    """The request's headers, with its target, are over their limit."""


class RequestTimedOut(RequestError):
    """The request did not come in time."""


class UnsupportedMedia(RequestError):
    """The body's media type is not understood."""


class UnsupportedCoding(UnsupportedMedia):
    """The body comes in a content coding, and none is read."""


class EngineError(RequestError):
    """The engine could not answer."""


class QueryTimeout(EngineError):
    """The query ran out of its time."""


class QueryTooCostly(EngineError):
    """The query ran out of its memory, rows or bytes."""


class Overloaded(EngineError):
    """Every place is taken; `retry_after` is in seconds."""

    def __init__(self, what: str, *, retry_after: int = 5, where: str = "", fix: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.retry_after = retry_after


class TooManyRequests(Overloaded):
    """This client used up its share of query time, or made too many errors."""


class EngineUnavailable(EngineError):
    """The engine died or cannot be reached."""
