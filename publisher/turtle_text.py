"""N-Triples \u2192 Turtle with prefixes, as text.

For one resource under load. Reading triples one by one from the store hands the interpreter's lock
over for every row, which costs more than everything else together when requests come in meanwhile;
the store writes N-Triples in a single call, and the rest is work on a small text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

_LINE = re.compile(r"(<[^>]*>|_:\S+) (<[^>]*>) (.*) \.")
_DATATYPE = re.compile(r'(.*"\^\^)(<[^>]*>)', re.DOTALL)
_LOCAL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9_-]))*")
RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"

Pairs = tuple[tuple[str, str], ...]


def turtle(ntriples: str, prefixes: Mapping[str, str]) -> str | None:
    """The same triples, grouped as they come; None for a line that is none of ours."""
    pairs, used = _longest_first(tuple(prefixes.items())), set[str]()
    lines: list[str] = []
    last = ("", "")
    for line in ntriples.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        subject, predicate, value = found.groups()
        shown = _value(value, pairs, used)
        if subject != last[0]:
            head = f"{_name(subject, pairs, used)} {_predicate(predicate, pairs, used)}"
            lines.append(f"{' .' if lines else ''}\n{head} {shown}")
        elif predicate != last[1]:
            lines.append(f" ;\n\t{_predicate(predicate, pairs, used)} {shown}")
        else:
            lines.append(f" , {shown}")
        last = (subject, predicate)
    heads = [f"@prefix {name}: <{prefixes[name]}> .\n" for name in sorted(used)]
    return "".join([*heads, *lines, " .\n" if lines else ""])


@lru_cache(maxsize=8)
def _longest_first(pairs: Pairs) -> Pairs:
    return tuple(sorted(pairs, key=lambda pair: (-len(pair[1]), pair[0])))


def _predicate(iri: str, pairs: Pairs, used: set[str]) -> str:
    return "a" if iri == RDF_TYPE else _name(iri, pairs, used)


def _value(value: str, pairs: Pairs, used: set[str]) -> str:
    if value.startswith("<") and not value.startswith("<<"):
        return _name(value, pairs, used)
    found = _DATATYPE.fullmatch(value) if value.endswith(">") and value.startswith('"') else None
    return found[1] + _name(found[2], pairs, used) if found else value


def _name(iri: str, pairs: Pairs, used: set[str]) -> str:
    prefix, shown = _compact(iri, pairs)
    if prefix:
        used.add(prefix)
    return shown


@lru_cache(maxsize=16384)
def _compact(iri: str, pairs: Pairs) -> tuple[str, str]:
    for prefix, namespace in pairs:
        if iri.startswith(namespace, 1):
            local = iri[1 + len(namespace) : -1]
            if _LOCAL.fullmatch(local):
                return prefix, f"{prefix}:{local}"
    return "", iri
