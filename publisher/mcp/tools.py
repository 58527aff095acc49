"""What a tool is: its name, what it is for, what it takes (JSON Schema, a small part of it)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from publisher.errors import UsageError

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a tool gives: a text to read, and the same as data."""

    text: str
    data: Json


@dataclass(frozen=True)
class Tool:
    """One tool. `takes` are the properties of its arguments, each a JSON Schema."""

    name: str
    title: str
    about: str
    takes: Mapping[str, Json]
    required: tuple[str, ...]
    run: Callable[..., Answer] = field(repr=False)

    def described(self) -> Json:
        """As `tools/list` has it: all of them only read, and give the same for the same."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.about,
            "inputSchema": {
                "type": "object",
                "properties": dict(self.takes),
                "required": list(self.required),
                "additionalProperties": False,
            },
            "annotations": {
                "title": self.title,
                "readOnlyHint": True,
                "destructiveHint": False,
                "idempotentHint": True,
                "openWorldHint": False,
            },
        }

    def call(self, arguments: Mapping[str, Any]) -> Answer:
        """Run it; raises UsageError for arguments that do not fit."""
        for name in self.required:
            if name not in arguments:
                raise UsageError(f"{name} is missing", fix=self._usage(name))
        for name, value in arguments.items():
            if name not in self.takes:
                raise UsageError(f"{self.name} takes no {name}", fix=f"it takes {self._names()}")
            wrong = misfit(value, self.takes[name])
            if wrong:
                raise UsageError(f"{name} {wrong}", fix=self._usage(name))
        return self.run(**arguments)

    def _names(self) -> str:
        return ", ".join(self.takes) or "nothing"

    def _usage(self, name: str) -> str:
        return f"{name}: {self.takes[name].get('description', '')}"


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def misfit(value: Any, schema: Json) -> str:
    """What is wrong with a value; empty when it fits.

    >>> misfit(3, {"type": "integer", "maximum": 2})
    'is 3, expected 2 or less'
    """
    wanted = str(schema.get("type", ""))
    is_flag = isinstance(value, bool) and wanted != "boolean"
    if wanted and (is_flag or not isinstance(value, _TYPES[wanted])):
        return f"is not of type {wanted}"
    if isinstance(value, str):
        if len(value) > schema.get("maxLength", 100_000):
            return f"is longer than {schema['maxLength']} characters"
        if len(value.strip()) < schema.get("minLength", 0):
            return "is empty"
    if "enum" in schema and value not in schema["enum"]:
        return f"is none of {', '.join(map(str, schema['enum']))}"
    if "minimum" in schema and value < schema["minimum"]:
        return f"is {value}, expected {schema['minimum']} or more"
    if "maximum" in schema and value > schema["maximum"]:
        return f"is {value}, expected {schema['maximum']} or less"
    return ""


def text(about: str, longest: int = 300) -> Json:
    """The schema of a text."""
    return {"type": "string", "description": about, "minLength": 1, "maxLength": longest}


def count(about: str, default: int, most: int) -> Json:
    """The schema of a number of things."""
    return {
        "type": "integer",
        "description": about,
        "default": default,
        "minimum": 1,
        "maximum": most,
    }
