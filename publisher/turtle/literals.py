"""The one spelling that each value has.

Engines rewrite literals ("4.50" becomes 4.5, P12M becomes P1Y), so a value that has two spellings
would change between the file and the answer to a query. These are the spellings that survive.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from decimal import Decimal

XSD = "http://www.w3.org/2001/XMLSchema#"

_INTEGERS = {
    XSD + name: bounds
    for name, bounds in {
        "integer": (None, None),
        "nonNegativeInteger": (0, None),
        "positiveInteger": (1, None),
        "nonPositiveInteger": (None, 0),
        "negativeInteger": (None, -1),
        "long": (-(2**63), 2**63 - 1),
        "int": (-(2**31), 2**31 - 1),
        "short": (-(2**15), 2**15 - 1),
        "byte": (-128, 127),
        "unsignedLong": (0, 2**64 - 1),
        "unsignedInt": (0, 2**32 - 1),
        "unsignedShort": (0, 2**16 - 1),
        "unsignedByte": (0, 255),
    }.items()
}


def survives(text: str, datatype: str) -> bool:
    """Whether every engine hands the value back as it was given.

    Floating point numbers have a canonical spelling that no engine writes; the kinds of integer
    (xsd:byte ...) come back as xsd:integer.
    """
    if datatype in (XSD + "double", XSD + "float"):
        return text in ("INF", "-INF", "NaN")
    if datatype in _INTEGERS and datatype != XSD + "integer":
        return False
    return canonical(text, datatype) == text


def canonical(text: str, datatype: str) -> str | None:
    """The canonical spelling; None when the text is no value of the datatype.

    >>> canonical("4.50", XSD + "decimal"), canonical("P12M", XSD + "duration")
    ('4.5', 'P1Y')
    >>> canonical("eleven", XSD + "integer") is None
    True
    """
    if datatype in _INTEGERS:
        return _integer(text, *_INTEGERS[datatype])
    rule = _RULES.get(datatype)
    return text if rule is None else rule(text)


def _integer(text: str, low: int | None, high: int | None) -> str | None:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        return None
    digits = text.lstrip("+-").lstrip("0") or "0"
    sign = "-" if text.startswith("-") and digits != "0" else ""
    if low is None and high is None:
        return sign + digits
    if len(digits) > 20:
        return None
    number = int(sign + digits)
    if (low is not None and number < low) or (high is not None and number > high):
        return None
    return sign + digits


def _decimal(text: str) -> str | None:
    match = re.fullmatch(r"([+-]?)([0-9]*)(?:\.([0-9]*))?", text)
    if not match or not (match[2] or match[3]):
        return None
    whole = match[2].lstrip("0") or "0"
    part = (match[3] or "").rstrip("0")
    sign = "-" if match[1] == "-" and (whole != "0" or part) else ""
    return sign + whole + ("." + part if part else "")


def _double(text: str) -> str | None:
    if text in ("INF", "-INF", "NaN"):
        return text
    if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        return None
    number = float(text)
    if number in (float("inf"), float("-inf")):
        return None
    if number == 0:
        return "-0.0E0" if text.startswith("-") else "0.0E0"
    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    assert isinstance(exponent, int)
    figures = "".join(map(str, digits)).rstrip("0") or "0"
    power = exponent + len(digits) - 1
    return f"{'-' if sign else ''}{figures[0]}.{figures[1:] or '0'}E{power}"


def _boolean(text: str) -> str | None:
    return {"true": "true", "1": "true", "false": "false", "0": "false"}.get(text)


_ZONE = r"(Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"


def _zone(zone: str | None) -> str:
    return "Z" if zone in ("+00:00", "-00:00") else zone or ""


def _date(text: str) -> str | None:
    match = re.fullmatch(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}){_ZONE}", text)
    if not match or not _exists(match[1]):
        return None
    return match[1] + _zone(match[2])


def _exists(day: str) -> bool:
    try:
        datetime.date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _time(text: str) -> str | None:
    found = _date_time(f"2000-01-01T{text}")
    return found.partition("T")[2] if found else None


def _date_time(text: str) -> str | None:
    pattern = rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})T([0-9:]{{8}})(?:\.([0-9]+))?{_ZONE}"
    match = re.fullmatch(pattern, text)
    if not match or not _exists(match[1]):
        return None
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]", match[2]):
        return None
    part = (match[3] or "").rstrip("0")
    return f"{match[1]}T{match[2]}{'.' + part if part else ''}{_zone(match[4])}"


def _month(text: str) -> str | None:
    match = re.fullmatch(rf"([0-9]{{4}}-(?:0[1-9]|1[0-2])){_ZONE}", text)
    return match[1] + _zone(match[2]) if match else None


def _year(text: str) -> str | None:
    match = re.fullmatch(rf"([0-9]{{4}}){_ZONE}", text)
    return match[1] + _zone(match[2]) if match else None


_DURATION = re.compile(
    r"(-?)P(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?"
    r"(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]+))?S)?)?"
)


def _duration(text: str) -> str | None:
    match = _DURATION.fullmatch(text)
    if not match or text.endswith(("P", "T")):
        return None
    years, months, days, hours, minutes, seconds = (int(n or 0) for n in match.groups()[1:7])
    part = (match[8] or "").rstrip("0")
    months += years * 12
    seconds += ((days * 24 + hours) * 60 + minutes) * 60
    day, time = _day_time(seconds, part)
    span = _units((("Y", months // 12), ("M", months % 12))) + day + time
    sign = match[1] if span else ""
    return f"{sign}P{span or 'T0S'}"


def _months(text: str) -> str | None:
    found = _duration(text)
    return "P0M" if found == "PT0S" else found


def _day_time(seconds: int, part: str) -> tuple[str, str]:
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    clock = _units((("H", hour), ("M", minute)))
    if second or part:
        clock += f"{second}{'.' + part if part else ''}S"
    return _units((("D", days),)), f"T{clock}" if clock else ""


def _units(values: tuple[tuple[str, int], ...]) -> str:
    return "".join(f"{number}{unit}" for unit, number in values if number)


_RULES: dict[str, Callable[[str], str | None]] = {
    XSD + "decimal": _decimal,
    XSD + "double": _double,
    XSD + "float": _double,
    XSD + "boolean": _boolean,
    XSD + "date": _date,
    XSD + "dateTime": _date_time,
    XSD + "time": _time,
    XSD + "gYearMonth": _month,
    XSD + "gYear": _year,
    XSD + "duration": _duration,
    XSD + "yearMonthDuration": _months,
    XSD + "dayTimeDuration": _duration,
}
