"""Literals as numbers that are compared as SPARQL compares them, where nobody could doubt it.

Numbers that a binary64 keeps exactly as other numbers, and days, months and years without a time
zone (https://www.w3.org/TR/sparql11-query/#OperatorMapping, https://www.w3.org/TR/xmlschema11-2/).
"""

from __future__ import annotations

import math
import re
from datetime import date

XSD = "http://www.w3.org/2001/XMLSchema#"
NOTHING, NUMBER, YEAR, MONTH, DAY = range(5)
EXACT = 15  # decimal digits that a binary64 keeps

_DECIMAL = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_FORMS = {
    f"{XSD}integer": (NUMBER, re.compile(r"[+-]?[0-9]+")),
    f"{XSD}decimal": (NUMBER, re.compile(_DECIMAL)),
    f"{XSD}double": (NUMBER, re.compile(rf"{_DECIMAL}(?:[eE][+-]?[0-9]+)?")),
    f"{XSD}gYear": (YEAR, re.compile(r"[0-9]{4}")),
    f"{XSD}gYearMonth": (MONTH, re.compile(r"[0-9]{4}-[0-9]{2}")),
    f"{XSD}date": (DAY, re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")),
}
_UNKNOWN = (NOTHING, math.nan)


def measured(text: str, datatype: str) -> tuple[int, float]:
    """The kind and size of a literal; only those of one kind may be compared.

    >>> measured("1.50", XSD + "decimal"), measured("2014-02", XSD + "gYearMonth")
    ((1, 1.5), (3, 24170.0))
    >>> measured("2014-02-30", XSD + "date")[0], measured("1_000", XSD + "integer")[0]
    (0, 0)
    """
    kind, form = _FORMS.get(datatype, (NOTHING, None))
    if form is None or form.fullmatch(text) is None:
        return _UNKNOWN
    if kind == NUMBER:
        if not datatype.endswith("double") and sum(map(str.isdigit, text)) > EXACT:
            return _UNKNOWN
        value = float(text)
        return (kind, value) if math.isfinite(value) else _UNKNOWN
    try:
        found = date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return _UNKNOWN
    return kind, float(
        {YEAR: found.year, MONTH: 12 * found.year + found.month, DAY: found.toordinal()}[kind]
    )
