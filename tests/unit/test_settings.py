"""Settings: one table, three places, one frozen value."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from publisher import settings
from publisher.errors import SettingError
from publisher.settings import Settings

ROOT = Path(__file__).parents[2]


def test_a_flag_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    """And the table stands behind them all."""
    file = tmp_path / "s.toml"
    file.write_text('port = 1\nhost = "::1"\nlog_level = "error"\n')
    found = settings.load(file, {"NEUROMODKG_PORT": "2", "NEUROMODKG_HOST": "::2"}, {"port": "3"})
    assert (found.port, found.host, found.log_level) == (3, "::2", "error")
    assert found.prefix == Settings().prefix


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", "8080", 8080),
        ("query_seconds", "0.5", 0.5),
        ("metrics", "off", False),
        ("engine", "https://a/sparql, https://b/sparql", ("https://a/sparql", "https://b/sparql")),
    ],
)
def test_texts_are_read_as_the_rows_type(name: str, text: str, value: object) -> None:
    """Lists by commas or spaces."""
    assert getattr(settings.load(None, {f"NEUROMODKG_{name.upper()}": text}), name) == value


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("port", "eighty", "a whole number"),
        ("port", "-1", "0 or more"),
        ("query_seconds", "nan", "(seconds)"),
        ("metrics", "maybe", "true or false"),
        ("prot", "80", "did you mean port?"),
    ],
)
def test_a_wrong_value_says_where_and_what_was_expected(name: str, value: str, fix: str) -> None:
    """The variable's name, and the unit."""
    with pytest.raises(SettingError) as caught:
        settings.load(None, {f"NEUROMODKG_{name.upper()}": value})
    assert caught.value.where == f"NEUROMODKG_{name.upper()}"
    assert fix in caught.value.fix


def test_a_settings_file_that_is_missing_or_broken_says_so(tmp_path: Path) -> None:
    """Wrong use, not a stack of calls."""
    with pytest.raises(SettingError, match="cannot be read"):
        settings.load(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("port = ")
    with pytest.raises(SettingError, match="not TOML"):
        settings.load(tmp_path / "bad.toml")


def test_settings_cannot_be_changed_later() -> None:
    """They are passed on, not looked up."""
    with pytest.raises(FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


def test_the_documentation_lists_every_setting() -> None:
    """`python -m publisher.settings > docs/settings.md` renews it."""
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == settings.document()
