"""What tests of the command line share: an environment without settings, and a key."""

import pytest

from tests.unit.wellhead.fakes import KEY, SECRET


@pytest.fixture
def clean(tmp_path, monkeypatch):
    """Stand in an empty folder, with no setting of ours in the environment."""
    for name in ("URL", "KEY", "SECRET", "PROFILE", "DATA_DIR", "PORT"):
        monkeypatch.delenv(f"WELLHEAD_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def trader(clean, monkeypatch):
    """Have a key in the environment."""
    monkeypatch.setenv("WELLHEAD_KEY", KEY)
    monkeypatch.setenv("WELLHEAD_SECRET", SECRET)
