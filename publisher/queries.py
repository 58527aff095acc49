"""The page queries of a release: one `.rq` file each, whose open variables are bound to terms.

A query leaves variables open (`?this`); `bind` puts the engine's own writing of a term in their
place, token by token, so that what a page shows as "the query behind this" is exactly what was
asked, and runs on any engine. Strings, IRIs and comments of the query are passed over.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import Literal, NamedNode

from publisher.errors import ReleaseDamaged

_TOKENS = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|<[^<>\s]*>|#[^\n]*'
    r"|[?$](?P<name>\w+)"
)
_PREFIXED = re.compile(r"(?<![\w:<?$])([A-Za-z][\w.-]*):(?=[\w])")


def bind(query: str, terms: Mapping[str, NamedNode | Literal]) -> str:
    """The query with every open variable replaced by its term.

    >>> bind("SELECT ?o { ?this ?p ?o } # ?this", {"this": NamedNode("http://example.org/a")})
    'SELECT ?o { <http://example.org/a> ?p ?o } # ?this'
    """

    def put(found: re.Match[str]) -> str:
        term = terms.get(found["name"] or "")
        return found[0] if term is None else str(term)

    return _TOKENS.sub(put, query)


def with_prefixes(query: str, prefixes: Mapping[str, str]) -> str:
    """The query with the declarations that it needs elsewhere, the comment kept on top."""
    bare = _TOKENS.sub(lambda found: " " if found["name"] is None else found[0], query)
    used = sorted({name for name in _PREFIXED.findall(bare) if name in prefixes})
    declared = "".join(f"PREFIX {name}: <{prefixes[name]}>\n" for name in used)
    first, _, rest = query.partition("\n")
    return f"{first}\n{declared}{rest}" if first.startswith("#") else declared + query


@dataclass(frozen=True)
class Queries:
    """The queries of a release by the name of their file."""

    texts: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        try:
            return self.texts[name]
        except KeyError:
            raise ReleaseDamaged(
                f"there is no query {name}", where="pages/", fix="build the release again"
            ) from None

    def about(self, name: str) -> str:
        """The comment on top of a query: what it asks, in words."""
        first = self[name].partition("\n")[0]
        return first.removeprefix("#").strip() if first.startswith("#") else ""


def read(folder: Path) -> Queries:
    """The queries of a folder; a folder that is not there has none."""
    return Queries({f.stem: f.read_text("utf-8") for f in sorted(folder.glob("*.rq"))})
