"""SVG and links that are made in Python: escaped, and drawn where they should be."""

import re
import xml.etree.ElementTree as ElementTree

from pyoxigraph import Literal, NamedNode

from publisher import queries
from publisher.pages import svg
from publisher.pages.render import anchor, data_block
from publisher.resource import Link, literal

HOSTILE = '"><script>alert(1)</script>'


def test_pictures_are_well_formed_whatever_names_say() -> None:
    """A hostile label is text in every picture."""
    line = svg.Line(HOSTILE, HOSTILE, "1", 0.5, 0.2, 0.9, href='x" onload="')
    drawn = [
        svg.forest([line], ratio=True, label=HOSTILE, below="", above=""),
        svg.timeline([svg.Dot(2020, "for", HOSTILE, "/x")], HOSTILE),
        svg.bars([svg.Bar(HOSTILE, 2.0)], HOSTILE),
        svg.neighbourhood(HOSTILE, [svg.Neighbour(HOSTILE, HOSTILE, "", True)], HOSTILE),
    ]
    for picture in drawn:
        ElementTree.fromstring(picture)
        assert "<script" not in picture
        assert "style=" not in picture


def test_ratio_of_one_stands_on_the_line_of_no_effect() -> None:
    """The square of a ratio of 1 is centred on the dashed line."""
    line = svg.Line("a", "", "1", 1.0, 0.5, 2.0)
    drawn = svg.forest([line], ratio=True, label="", below="", above="")
    null = re.search(r'<line x1="([\d.]+)"[^>]*class="null"', drawn)
    mark = re.search(r'<rect x="([\d.]+)"', drawn)
    assert null
    assert mark
    assert abs(float(mark[1]) + 4 - float(null[1])) < 0.2


def test_link_is_escaped_and_a_long_text_says_that_it_is_cut() -> None:
    """Nothing of a literal becomes markup; what is not shown is told."""
    shown = anchor(literal(Literal(HOSTILE + "x" * 1_000_000)))
    assert "<script" not in shown
    assert "1\u202f000\u202f027 characters" in shown
    assert len(shown) < 5000


def test_text_that_leads_nowhere_has_no_address() -> None:
    """Without an address there is no anchor."""
    assert "<a" not in anchor(Link("x", ""))


def test_data_block_cannot_be_ended_from_inside() -> None:
    """`</script>` in a literal is written as an escape."""
    assert "</script" not in data_block({"a": "</script><script>"})


def test_open_variables_are_bound_as_terms_and_nothing_else_is_touched() -> None:
    """Strings, comments and longer names stay; the term is written by the engine."""
    query = 'SELECT * { ?this ?p "?this" . ?thisOther ?q ?this } # ?this'
    made = queries.bind(query, {"this": NamedNode("http://example.org/a")})
    assert made == (
        'SELECT * { <http://example.org/a> ?p "?this" . ?thisOther ?q <http://example.org/a> }'
        " # ?this"
    )


def test_shown_query_declares_the_prefixes_it_uses() -> None:
    """It runs elsewhere as it stands."""
    table = {"nmo": "http://example.org/nmo#", "skos": "http://example.org/skos#"}
    made = queries.with_prefixes("# why\nSELECT * { ?a nmo:b ?c }", table)
    assert made == "# why\nPREFIX nmo: <http://example.org/nmo#>\nSELECT * { ?a nmo:b ?c }"
