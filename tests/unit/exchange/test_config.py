"""Settings: from the environment, frozen, checked."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from exchange.config import Role, Settings


def test_without_anything_one_process_does_it_all(monkeypatch):
    for name in ("DATA_DIR", "ROLES", "PORT", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(f"WELLHEAD_{name}", raising=False)
    settings = Settings()
    assert settings.all_in_one and all(settings.has_role(role) for role in Role)
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)


def test_roles_are_words_between_commas(monkeypatch):
    monkeypatch.setenv("WELLHEAD_ROLES", "engine, market-data")
    settings = Settings()
    assert settings.roles == (Role.ENGINE, Role.MARKET_DATA) and not settings.all_in_one
    assert settings.has_role(Role.ENGINE) and not settings.has_role(Role.GATEWAY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "x"),
        ("ROLES", "king"),
        ("WEBHOOK_HOSTS", "localhost"),
        ("SNAPSHOT_EVERY_COMMANDS", "0"),
    ],
)
def test_a_value_that_cannot_be_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"WELLHEAD_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_settings_do_not_change_and_show_no_secret():
    settings = Settings(secret_key="do-not-show-me", database_url="postgresql://u:hidden@h/d")
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]
    assert "do-not-show-me" not in repr(settings) and "hidden" not in repr(settings)


def test_every_setting_is_described_for_operators():
    page = Path("docs/operating.md").read_text()
    missing = [name for name in Settings.model_fields if f"`{name.upper()}`" not in page]
    assert missing == []
