"""Two releases of the small graph about lighthouses, side by side."""

import shutil
from pathlib import Path

from publisher import build, corpus
from publisher.check.finding import Report

TINY = Path(__file__).parent / "fixtures/tiny"
OLD, NEW = "2026-01-31", "2026-03-01"


def two_releases(folder: Path) -> Path:
    """In the newer one, Grey Point has another definition, and one lamp is new and one retired."""
    root = Path(shutil.copytree(TINY, folder / "lights"))
    lamp = (root / "data/lamps/0010-oil-lamp.ttl").read_text()
    old_lamp = lamp.replace("LGT:0010", "LGT:0012").replace("il lamp", "ld lamp")
    (root / "data/lamps/0012-old.ttl").write_text(old_lamp)
    build.build(corpus.read(root), Report(()), folder / "releases")
    for file, old, new in (
        ("ontology/header.ttl", OLD, NEW),
        ("data/lights/0001-grey-point.ttl", "A round tower", "A tower & <b>square</b>"),
    ):
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new))
    other_lamp = lamp.replace("LGT:0010", "LGT:0011").replace("il lamp", "ther lamp")
    (root / "data/lamps/0011-other.ttl").write_text(other_lamp)
    retired = (
        old_lamp + "\nLGT:0012 <http://www.w3.org/2002/07/owl#deprecated> true ;"
        " <http://purl.org/dc/terms/isReplacedBy> LGT:0010 .\n"
    )
    (root / "data/lamps/0012-old.ttl").write_text(retired)
    build.build(corpus.read(root), Report(()), folder / "releases")
    return folder / "releases"


PAIRS = """
[[stances]]
value = "lv:Seen"
name = "seen"
heading = "Seen"
plural = "saw it"
mark = "+"
side = "for"
[[stances]]
value = "lv:Missed"
name = "missed"
heading = "Missed"
plural = "missed it"
mark = "-"
side = "against"

[matrix]
title = "Who saw what"
findings = "map-sightings"
row = "light"
column = "lamp"
row_class = "lv:Light"
column_class = "lv:Lamp"
row_property = "lv:light"
column_property = "lv:lamp"
pair = "range:{row}-{column}"
pair_title = "{row}, lit by {column}"

[rows]
sightings = ["light", "lamp", "stance", "source"]

[open]
claim = "sighting"

[panels.pair-sightings]
kind = "stances"
title = "Sightings"
rows = "sightings"
match = { light = "light", lamp = "lamp" }

[[views]]
class = "lv:Range"
kind = "pair"
panels = ["pair-sightings"]
"""
SIGHTINGS = """# Who saw a light, and who did not.
SELECT ?claim ?stance ?text ?miles ?source ?light ?lamp
WHERE {
  ?claim a lv:Sighting ; lv:light ?light ; lv:lamp ?lamp ; lv:verdict ?stance ; rdfs:label ?text .
  ?claim lv:statedIn ?source OPTIONAL { ?claim lv:miles ?miles }
}
ORDER BY ?claim
"""
FINDINGS = """# What the map is made of.
SELECT ?finding ?light ?lamp ?study ?direction ?design ?synthesis
WHERE {
  ?finding a lv:Sighting ; lv:light ?light ; lv:lamp ?lamp ; lv:verdict ?direction .
  BIND(?finding AS ?study) BIND(lv:Sighting AS ?design) BIND("false" AS ?synthesis)
}
"""


def with_pairs(folder: Path) -> Path:
    """A release of the lighthouses with a map of lights and lamps, and a sighting of both kinds."""
    root = Path(shutil.copytree(TINY, folder / "pairs"))
    settings = root / "ontology/graph.toml"
    text = settings.read_text().replace("[search]", '[search]\nfacts = ["map-sightings"]', 1)
    settings.write_text(text + PAIRS)
    (root / "ontology/pages/sightings.rq").write_text(SIGHTINGS)
    (root / "ontology/pages/map-sightings.rq").write_text(FINDINGS)
    return build.build(corpus.read(root), Report(()), folder / "pairs-releases")
