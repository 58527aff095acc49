"""Recognises questions whose work is provably bounded: they need no process of their own.

One triple pattern, no repeated variable, no filter, path, function or sub-query; and either its
subject is given, or a small LIMIT is. Every such pattern is a prefix scan of one index that stops
early. Whatever this grammar does not recognise goes to a worker, so it may be strict.
"""

from __future__ import annotations

import re

LONGEST = 2000
MOST_ROWS = 1000

_IRI = r"<[^\x00-\x20<>\"{}|^`\\]*+>"
_NAME = r"[A-Za-z][\w-]*+:[\w-]*+(?:\.[\w-]++)*+"
_VARIABLE = r"[?$][A-Za-z_]\w*+"
_LITERAL = rf'"[^"\\\r\n]*+"(?:@[A-Za-z-]++|\^\^(?:{_IRI}|{_NAME}))?+|[0-9]++'
_RESOURCE = rf"{_IRI}|{_NAME}"
_PROLOGUE = rf"\s*+(?:PREFIX\s++(?:[A-Za-z][\w-]*+)?+:\s*+{_IRI}\s*+)*+"
_DESCRIPTION = re.compile(rf"{_PROLOGUE}DESCRIBE\s++(?:{_RESOURCE})\s*+\Z", re.IGNORECASE)
_PATTERN = re.compile(
    rf"""{_PROLOGUE}
    (?: (?P<ask>ASK)\b | SELECT\s++(?P<distinct>DISTINCT\s++)?+(?:\*|(?:{_VARIABLE}\s*+)++) )
    \s*+(?:WHERE\b\s*+)?+\{{\s*+
    (?P<subject>{_VARIABLE}|{_RESOURCE})\s*+
    (?P<predicate>{_VARIABLE}|{_RESOURCE}|a\b)\s*+
    (?P<object>{_VARIABLE}|{_RESOURCE}|{_LITERAL})\s*+
    \.?+\s*+\}}\s*+
    (?:LIMIT\s++(?P<limit>[0-9]{{1,6}})\s*+)?+\Z""",
    re.VERBOSE | re.IGNORECASE,
)


def is_bounded(query: str) -> bool:
    """Whether this query may be answered where it was received.

    >>> is_bounded("SELECT ?o { <http://example.org/a> ?p ?o }")
    True
    >>> is_bounded("SELECT ?s { ?s ?p ?o }")
    False
    """
    if len(query) > LONGEST:
        return False
    if _DESCRIPTION.match(query):
        return True
    found = _PATTERN.match(query)
    if found is None:
        return False
    terms = [found["subject"], found["predicate"], found["object"]]
    variables = [term[1:] for term in terms if term[0] in "?$"]
    if len(set(variables)) < len(variables):
        return False
    if found["ask"] or terms[0][0] not in "?$":
        return True
    return bool(found["limit"]) and int(found["limit"]) <= MOST_ROWS and not found["distinct"]
