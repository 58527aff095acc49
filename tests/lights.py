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
