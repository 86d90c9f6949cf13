"""Where keys come from: private files only, nearest first, clear words when not."""

import pytest

from wellhead import credentials as cr
from wellhead.signing import Credentials


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("WELLHEAD_KEY", "WELLHEAD_SECRET", "WELLHEAD_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_written_profile_is_private_and_reads_back():
    path = cr.data_dir() / "profiles" / "alice.json"
    cr.write_profile(path, Credentials("K", "S"), url="http://h:1", account_id="alice")
    assert path.stat().st_mode & 0o777 == 0o600
    found = cr.find_profile("alice")
    assert (found.credentials, found.url, found.account_id) == (
        Credentials("K", "S"),
        "http://h:1",
        "alice",
    )
    assert cr.find_profile(str(path)).credentials == found.credentials


def test_a_profile_is_never_overwritten(tmp_path):
    cr.write_profile(tmp_path / "a.json", Credentials("K", "S"))
    with pytest.raises(cr.CredentialsError, match="exists already"):
        cr.write_profile(tmp_path / "a.json", Credentials("K2", "S2"))


def test_a_file_open_to_others_is_refused_with_the_command_that_mends_it(tmp_path):
    path = cr.write_profile(tmp_path / "a.json", Credentials("K", "S"))
    path.chmod(0o640)
    with pytest.raises(cr.CredentialsError, match="chmod 600"):
        cr.read_profile(path)


@pytest.mark.parametrize("text", ["", "[]", '"x"', '{"key": "K"}', "\x00", "null"])
def test_anything_else_in_the_file_is_refused(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(cr.CredentialsError, match="is not"):
        cr.read_profile(path)


def test_an_unknown_name_lists_the_known_ones():
    cr.write_profile(cr.config_dir() / "bob.json", Credentials("K", "S"))
    with pytest.raises(cr.CredentialsError, match="known: bob"):
        cr.find_profile("carol")


def test_the_data_folder_wins_over_the_home_folder():
    cr.write_profile(cr.config_dir() / "a.json", Credentials("far", "S"))
    cr.write_profile(cr.data_dir() / "profiles" / "a.json", Credentials("near", "S"))
    assert cr.find_profile("a").credentials.key == "near"


def test_half_a_pair_in_the_environment_is_an_error(monkeypatch):
    assert cr.from_environment() is None
    monkeypatch.setenv("WELLHEAD_KEY", "K")
    with pytest.raises(cr.CredentialsError, match="one is missing"):
        cr.from_environment()
    monkeypatch.setenv("WELLHEAD_SECRET", "S")
    assert cr.from_environment() == Credentials("K", "S")
