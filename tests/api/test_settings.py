"""Settings: documented, typed, and refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.errors import InvalidSettings
from api.settings import PREFIX, Settings, load_settings, unknown_variables

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    """The page has a row for it with its environment variable; the code has a description."""
    assert f"| `{name}` | `{PREFIX}{name.upper()}` |" in PAGE.read_text(encoding="utf-8")
    assert Settings.model_fields[name].description


def test_environment_sets_and_argument_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line is stronger than the environment, the environment than the default."""
    monkeypatch.setenv("TENPRINT_PORT", "9000")
    monkeypatch.setenv("TENPRINT_HOST", "0.0.0.0")
    settings = load_settings(port=9100, host=None)
    assert (settings.port, settings.host) == (9100, "0.0.0.0")


def test_unusable_value_is_refused_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the variable to correct."""
    monkeypatch.setenv("TENPRINT_PORT", "70000")
    with pytest.raises(InvalidSettings, match="TENPRINT_PORT"):
        load_settings()


def test_misspelt_variable_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error has no effect, so somebody must say so."""
    monkeypatch.setenv("TENPRINT_POTR", "1")
    assert "TENPRINT_POTR" in unknown_variables()


def test_database_password_is_not_in_the_representation() -> None:
    """Settings end up in logs."""
    assert "secret" not in repr(load_settings(database_url="postgresql://me:secret@host/db"))
