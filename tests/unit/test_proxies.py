"""What is believed of the headers that proxies add."""

import pytest

from publisher.server.proxies import Told, bare, clean_prefix, entries, read


def trusts(address: str) -> bool:
    """Our proxies are those of 10.0.0.0/8."""
    return address.startswith("10.")


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, Told("10.0.0.1")),
        ({"x-forwarded-for": "9.9.9.9"}, Told("9.9.9.9")),
        ({"x-forwarded-for": "1.1.1.1, 9.9.9.9"}, Told("9.9.9.9")),
        ({"x-forwarded-for": "1.1.1.1, 9.9.9.9, 10.0.0.2"}, Told("9.9.9.9")),
        ({"x-forwarded-for": "10.0.0.3, 10.0.0.2"}, Told("10.0.0.3")),
        ({"x-forwarded-for": "9.9.9.9:4711"}, Told("9.9.9.9")),
        ({"x-forwarded-for": "[2001:db8::1]:80"}, Told("2001:db8::1")),
        ({"x-forwarded-for": "2001:db8::1"}, Told("2001:db8::1")),
        ({"x-forwarded-for": "1.1.1.1, unknown"}, Told("10.0.0.1")),
        ({"x-forwarded-for": " , "}, Told("10.0.0.1")),
        (
            {
                "x-forwarded-for": "9.9.9.9",
                "x-forwarded-host": "evil, a",
                "x-forwarded-proto": "https",
            },
            Told("9.9.9.9", "https", "a"),
        ),
        (
            {"x-forwarded-for": "9.9.9.9, 10.0.0.2", "x-forwarded-host": "evil, a, inner"},
            Told("9.9.9.9", "", "a"),
        ),
        ({"x-forwarded-prefix": "/kg/"}, Told("10.0.0.1", "", "", "/kg")),
        ({"x-forwarded-prefix": "/a, /b"}, Told("10.0.0.1", "", "", "/a/b")),
        ({"forwarded": "for=9.9.9.9;proto=https;host=a"}, Told("9.9.9.9", "https", "a")),
        ({"forwarded": 'FOR="[2001:db8::1]:4711"'}, Told("2001:db8::1")),
        ({"forwarded": "for=1.1.1.1;host=evil, for=9.9.9.9;host=a"}, Told("9.9.9.9", "", "a")),
        (
            {"forwarded": "host=evil, for=9.9.9.9;host=a, for=10.0.0.2;host=inner"},
            Told("9.9.9.9", "", "a"),
        ),
        ({"forwarded": "for=_hidden;host=a"}, Told("10.0.0.1", "", "a")),
        ({"forwarded": "for=9.9.9.9;;"}, Told("10.0.0.1")),
        ({"forwarded": "for"}, Told("10.0.0.1")),
        ({"forwarded": "for=9.9.9.9", "x-forwarded-proto": "https"}, Told("10.0.0.1", "https")),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(headers: dict[str, str], told: Told) -> None:
    """Entries are read from the right, for as long as they are ours."""
    assert read(headers, "10.0.0.1", trusts) == told


def test_entries_with_quotes_are_read_as_they_were_meant() -> None:
    """A comma, a semicolon or an escape inside quotes ends nothing."""
    assert entries(r'for="a,b;c\"d";by=x , host="h"') == [
        {"for": 'a,b;c"d', "by": "x"},
        {"host": "h"},
    ]
    assert entries("") == entries("for=a b") == entries('for="a') == []


def test_no_header_takes_long_to_read() -> None:
    """What a proxy passes on may be long and odd."""
    for text in ("a=b," * 30_000, 'a="' * 30_000, "a=" * 30_000, "," * 100_000, '\\"' * 50_000):
        entries(text)
        read({"x-forwarded-for": text, "x-forwarded-prefix": text}, "10.0.0.1", trusts)
        assert clean_prefix("/" + text) == ""
        assert bare(text) == ""
