"""graph.toml: mistakes are told with the place of the mistake."""

from pathlib import Path

import pytest

from publisher import graph
from publisher.errors import GraphSettings
from publisher.graph import GraphRule


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("data/sources/*.ttl", "data/sources/doi-10.1-x.ttl", True),
        ("data/*/*.ttl", "data/a/b/c.ttl", False),
        ("ontology/**/*.ttl", "ontology/header.ttl", True),
        ("ontology/**/*.ttl", "ontology/a/b/header.ttl", True),
        ("data/x.ttl", "data/xyttl", False),
    ],
)
def test_patterns_of_files(pattern: str, path: str, fits: bool) -> None:
    """A star stays in its folder, two stars go down."""
    assert (GraphRule(pattern, "g").regex.fullmatch(path) is not None) == fits


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('name = "lights"', "name = 1", "name must be a text"),
        ('terms = ["lv"]', 'terms = ["zz"]', "terms is 'zz:'"),
        ("digits = 4", 'digits = "four"', "numbering.digits must be a whole number"),
        ("'10\\.\\d{4,9}/[^\\s\"<>]+'", "'('", "is no pattern"),
        ('example = "10.1000/182"', 'example = "11.1"', "does not match the pattern"),
        ("[dataset]", "[dataset", "is not TOML"),
        ('property = "lv:doi"', "", "property must be a text"),
    ],
)
def test_a_mistake_is_named(copy: Path, old: str, new: str, what: str) -> None:
    """The table and the key, or what TOML says."""
    file = copy / graph.SETTINGS
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(GraphSettings) as caught:
        graph.read(copy)
    assert what in caught.value.what
    assert caught.value.file == graph.SETTINGS


def test_a_folder_without_a_graph_says_so(tmp_path: Path) -> None:
    """With the place to look."""
    with pytest.raises(GraphSettings, match="missing"):
        graph.read(tmp_path)
