"""SSSOM mapping tables <-> quads.

A table is a TSV with a header of `# key: value` lines (and a `# curie_map:`), one row per mapping:
https://mapping-commons.github.io/sssom/. The header is YAML behind its `#`, which
others read as such: what YAML would take for anything but a text stands in quotes. A positive row
becomes the statement itself and a node that carries every column; a row with the modifier `Not`
becomes the node only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from publisher.errors import MappingSyntax
from publisher.names import Prefixes, natural
from publisher.turtle import Located

SSSOM = "https://w3id.org/sssom/"
_OWL = "http://www.w3.org/2002/07/owl#"
_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_IS_PART_OF = ox.NamedNode("http://purl.org/dc/terms/isPartOf")

REQUIRED = ("subject_id", "predicate_id", "object_id", "mapping_justification")
# The columns that have a property of another vocabulary in SSSOM's own RDF.
_PROPERTIES = {
    "subject_id": _OWL + "annotatedSource",
    "predicate_id": _OWL + "annotatedProperty",
    "object_id": _OWL + "annotatedTarget",
    "comment": "http://www.w3.org/2000/01/rdf-schema#comment",
    "license": "http://purl.org/dc/terms/license",
    "mapping_set_title": "http://purl.org/dc/terms/title",
    "mapping_set_description": "http://purl.org/dc/terms/description",
    "mapping_set_version": _OWL + "versionInfo",
}
# Columns whose value is a name, not a text.
_NAMES = re.compile(
    r"(.*_id|mapping_justification|predicate_type|subject_type|object_type|license)"
)
# Without quotes YAML 1.1 takes a text for itself when it begins like this, and has none of these.
_WORD = re.compile(r"(?!(?:true|false|yes|no|on|off|y|n|null)\Z)[A-Za-z]", re.IGNORECASE)
_MARK = re.compile(r":(?:\s|\Z)|\s(?:#|\Z)|[\x00-\x1f]")
# SSSOM's way to say that a vocabulary was searched and has no such term.
NO_TERM = "sssom:NoTermFound"


@dataclass(frozen=True)
class Row:
    """One mapping: its columns (empty ones left out) and its line."""

    values: dict[str, str]
    line: int

    @property
    def negative(self) -> bool:
        return self.values.get("predicate_modifier") == "Not"

    @property
    def order(self) -> tuple[object, ...]:
        keys = ("subject_id", "predicate_id", "object_id", "predicate_modifier")
        return tuple(natural(self.values.get(key, "")) for key in keys)


@dataclass(frozen=True)
class MappingSet:
    """A table: what its header says, its columns, its rows in the order of the file."""

    name: str
    file: str
    header: dict[str, str]
    curies: Prefixes
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def parse(text: str, *, file: str, name: str) -> MappingSet:
    """Read a table; raises MappingSyntax with the line."""
    lines = text.split("\n")
    top = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    header, curies = _header(lines[:top], file)
    if top == len(lines) or not lines[top].strip():
        raise MappingSyntax("has no row of column names", file=file, line=top + 1)
    columns = tuple(lines[top].rstrip("\r").split("\t"))
    _refuse_columns(columns, file, top + 1)
    rows = tuple(
        _row(line.rstrip("\r"), columns, file, number)
        for number, line in enumerate(lines[top + 1 :], top + 2)
        if line.strip()
    )
    return MappingSet(name, file, header, curies, columns, rows)


def _header(lines: list[str], file: str) -> tuple[dict[str, str], Prefixes]:
    header: dict[str, str] = {}
    curies: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        entry = re.fullmatch(r"#( *)([A-Za-z][\w.-]*): *(.*?)\s*", line)
        if not entry:
            raise MappingSyntax(
                f"is not a header line: {line!r}",
                file=file,
                line=number,
                fix="write `# key: value`",
            )
        indent, key, value = entry.groups()
        value = _unquoted(value, file, number)
        if "curie_map" in header and len(indent) > 1:
            curies[key] = value
        else:
            header[key] = value
    header.pop("curie_map", None)
    return header, Prefixes(tuple(curies.items()))


def _unquoted(value: str, file: str, line: int) -> str:
    """A scalar of YAML as a text; one that lacks the quotes it needs is taken as it stands."""
    if not value.startswith(('"', "'")):
        return value
    if re.fullmatch(r"'(?:[^']|'')*'", value):
        return value[1:-1].replace("''", "'")
    try:
        return str(json.loads(value, strict=False))
    except ValueError as error:
        raise MappingSyntax(
            f"has quotes that do not close: {value[:60]}",
            file=file,
            line=line,
            fix=r'write "...", with \" and \\ for a quote and a backslash inside',
        ) from error


def _scalar(value: str) -> str:
    """A text as a scalar of YAML; a text in JSON is one in quotes."""
    plain = _WORD.match(value) and not _MARK.search(value)
    return value if plain else json.dumps(value, ensure_ascii=False)


def _refuse_columns(columns: tuple[str, ...], file: str, line: int) -> None:
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise MappingSyntax(f"has no column {', '.join(missing)}", file=file, line=line)
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise MappingSyntax(f"has column {', '.join(twice)} twice", file=file, line=line)


def _row(line: str, columns: tuple[str, ...], file: str, number: int) -> Row:
    cells = line.split("\t")
    if len(cells) > len(columns):
        raise MappingSyntax(
            f"has {len(cells)} cells for {len(columns)} columns", file=file, line=number
        )
    values = {c: cell.strip() for c, cell in zip(columns, cells, strict=False) if cell.strip()}
    missing = [column for column in REQUIRED if column not in values]
    if missing:
        raise MappingSyntax(f"has no {', '.join(missing)}", file=file, line=number)
    if values.get("predicate_modifier", "Not") != "Not":
        raise MappingSyntax(
            f"predicate_modifier is {values['predicate_modifier']!r}",
            file=file,
            line=number,
            fix="leave it empty, or write Not",
        )
    return Row(values, number)


def write(table: MappingSet) -> str:
    """The table in canonical form: header and prefixes by name, rows in natural order."""
    known = {**table.header}
    lines = [f"# {key}: {_scalar(known[key])}" for key in sorted(known)]
    lines += ["# curie_map:"] if table.curies.pairs else []
    lines += [
        f"#   {prefix}: {_scalar(namespace)}" for prefix, namespace in sorted(table.curies.pairs)
    ]
    lines.append("\t".join(table.columns))
    for row in sorted(table.rows, key=lambda row: row.order):
        lines.append("\t".join(row.values.get(column, "") for column in table.columns))
    return "\n".join(lines) + "\n"


def quads(table: MappingSet, *, namespace: str, prefixes: Prefixes) -> list[Located]:
    """What the table says as triples; `namespace` is where the nodes of the mappings live.

    Raises MappingSyntax for a name whose prefix neither the table nor the graph knows.
    """
    namer = _Namer(table, prefixes)
    found = list(_set_node(table, namespace, namer))
    for row in table.rows:
        found.extend(_row_triples(table, row, namespace, namer))
    return found


class _Namer:
    def __init__(self, table: MappingSet, prefixes: Prefixes) -> None:
        self.file = table.file
        self.curies = table.curies
        self.prefixes = prefixes

    def node(self, text: str, line: int) -> ox.NamedNode:
        iri = text if "://" in text else self.curies.expand(text) or self.prefixes.expand(text)
        try:
            if iri is None:
                raise MappingSyntax(
                    f"{text!r} has a prefix that the table does not explain",
                    file=self.file,
                    line=line,
                    fix="add it under `# curie_map:`",
                )
            return ox.NamedNode(iri)
        except ValueError as error:
            raise MappingSyntax(f"{text!r} is no IRI", file=self.file, line=line) from error

    def value(self, column: str, text: str, line: int) -> ox.NamedNode | ox.Literal:
        if _NAMES.fullmatch(column) and re.match(r"[A-Za-z][\w.-]*:\S+$", text):
            return self.node(text, line)
        if column == "confidence" and re.fullmatch(r"0\.\d*[1-9]|[01]", text):
            kind = "decimal" if "." in text else "integer"
            return ox.Literal(
                text, datatype=ox.NamedNode(f"http://www.w3.org/2001/XMLSchema#{kind}")
            )
        return ox.Literal(text)


def _set_node(table: MappingSet, namespace: str, namer: _Namer) -> Iterator[Located]:
    node = ox.NamedNode(namespace + table.name)
    yield Located(ox.Triple(node, _TYPE, ox.NamedNode(SSSOM + "MappingSet")), 1)
    for key, text in table.header.items():
        value = ox.Literal(text) if key == "mapping_set_id" else namer.value(key, text, 1)
        yield Located(ox.Triple(node, _property(key), value), 1)


def _row_triples(table: MappingSet, row: Row, namespace: str, namer: _Namer) -> Iterator[Located]:
    line = row.line
    nodes = [namer.node(row.values[key], line) for key in REQUIRED[:3]]
    subject, predicate, target = nodes
    if not row.negative and row.values["object_id"] != NO_TERM:
        yield Located(ox.Triple(subject, predicate, target), line)
    key = "\t".join(
        [
            *(node.value for node in nodes),
            row.values.get("object_source", "") if target.value == SSSOM + "NoTermFound" else "",
            "Not" if row.negative else "",
        ]
    )
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    node = ox.NamedNode(f"{namespace}{table.name}.{digest}")
    yield Located(ox.Triple(node, _TYPE, ox.NamedNode(SSSOM + "Mapping")), line)
    yield Located(ox.Triple(node, _IS_PART_OF, ox.NamedNode(namespace + table.name)), line)
    for column, text in row.values.items():
        yield Located(ox.Triple(node, _property(column), namer.value(column, text, line)), line)


def _property(column: str) -> ox.NamedNode:
    return ox.NamedNode(_PROPERTIES.get(column, SSSOM + column))
