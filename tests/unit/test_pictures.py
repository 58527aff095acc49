"""SVG and links that are made in Python: escaped, and drawn where they should be."""

import re
import xml.etree.ElementTree as ElementTree

from pyoxigraph import Literal, NamedNode

from publisher import queries
from publisher.pages import forest, svg
from publisher.pages.render import anchor, data_block
from publisher.resource import Link, literal

HOSTILE = '"><script>alert(1)</script>'


def test_pictures_are_well_formed_whatever_names_say() -> None:
    """A hostile label is text in every picture."""
    drawn = [
        svg.timeline([svg.Dot(2020, "for", HOSTILE, "/x")], HOSTILE),
        svg.bars([svg.Bar(HOSTILE, 2.0)], HOSTILE),
        svg.neighbourhood(HOSTILE, [svg.Neighbour(HOSTILE, HOSTILE, "", True)], HOSTILE),
    ]
    for picture in drawn:
        ElementTree.fromstring(picture)
        assert "<script" not in picture
        assert "style=" not in picture


def places(picture: str, pattern: str) -> list[float]:
    """The percentages that a pattern finds in a picture."""
    ElementTree.fromstring(picture)
    return [float(found) for found in re.findall(pattern, picture)]


def test_ratio_of_one_stands_on_the_line_of_no_effect() -> None:
    """The mark of a ratio of 1 is centred on the dashed line, and halves mirror doubles."""
    lines = [forest.Line(1.0, 0.5, 2.0), forest.Line(2.0), forest.Line(0.5)]
    drawn = forest.effects(lines, ratio=True)
    null = places(drawn.pictures[0], r'<line x1="([\d.]+)%"[^>]*class="null"')[0]
    marks = [places(each, r'<svg x="([\d.]+)%"')[0] for each in drawn.pictures]
    assert marks[0] == null
    assert abs((marks[1] - null) - (null - marks[2])) < 0.02


def test_both_sides_of_the_line_of_no_effect_have_room() -> None:
    """Where all effects point one way, the other side is still there to be seen."""
    drawn = forest.effects([forest.Line(8.0, 6.0, 10.0)], ratio=False)
    null = places(drawn.pictures[0], r'<line x1="([\d.]+)%"[^>]*class="null"')[0]
    assert null > forest.LEFT + 0.1 * forest.WIDE


def test_interval_beyond_the_axis_ends_in_an_arrow() -> None:
    """A ratio of a thousand does not squeeze the others: it leaves the picture, visibly."""
    wide, narrow = forest.effects(
        [forest.Line(4.0, 0.9, 1000.0), forest.Line(1.0, 0.8, 1.2)], ratio=True
    ).pictures
    assert 'class="arrow"' in wide
    assert 'class="arrow"' not in narrow


def test_value_without_an_interval_is_hollow() -> None:
    """Nobody takes it for a precise one."""
    drawn = forest.effects([forest.Line(2.0), forest.Line(2.0, 1.0, 4.0)], ratio=True)
    assert ["mark open" in each for each in drawn.pictures] == [True, False]


def test_axis_names_round_values_and_few_of_them() -> None:
    """From hundredths to thousands."""
    for low, high in ((-0.013, 0.021), (-17.2, 3.0), (0.0, 4200.0)):
        ticks = forest.Scale(low, high, ratio=False).ticks()
        assert 2 <= len(ticks) <= 7
        assert all(low <= tick <= high for tick in ticks)


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
