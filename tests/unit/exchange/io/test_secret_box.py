"""Secrets: sealed under a name, opened by the same key only."""

import stat

import pytest

from exchange.io.errors import Corrupt, StartRefused
from exchange.io.secret_box import SecretBox, key_text_of

BOX = SecretBox("a" * 32)


def test_a_secret_comes_back_and_is_sealed_anew_each_time():
    one, other = BOX.seal(b"secret", "name"), BOX.seal(b"secret", "name")
    assert one != other and b"secret" not in one
    assert BOX.open(one, "name") == BOX.open(other, "name") == b"secret"


@pytest.mark.parametrize("spoil", [0, 12, -1])
def test_a_changed_seal_does_not_open(spoil):
    sealed = bytearray(BOX.seal(b"secret", "name"))
    sealed[spoil] ^= 1
    with pytest.raises(Corrupt):
        BOX.open(bytes(sealed), "name")


def test_a_seal_of_another_name_or_key_does_not_open():
    sealed = BOX.seal(b"secret", "name")
    with pytest.raises(Corrupt):
        BOX.open(sealed, "other")
    with pytest.raises(Corrupt):
        SecretBox("b" * 32).open(sealed, "name")
    with pytest.raises(Corrupt):
        BOX.open(b"", "name")


def test_a_key_that_can_be_guessed_is_refused():
    with pytest.raises(StartRefused, match="32 characters"):
        SecretBox("short")


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "secret.key"
    text = key_text_of(path)
    assert len(text) == 64 and key_text_of(path) == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_file_that_cannot_be_made_is_refused(tmp_path):
    with pytest.raises(StartRefused):
        key_text_of(tmp_path / "nowhere" / "secret.key")
