"""Encrypts what must be read back, with a key that is not in the database."""

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from exchange.io.errors import Corrupt, StartRefused

_NONCE_BYTES: Final = 12
KEY_TEXT_LENGTH_MIN: Final = 32


class SecretBox:
    """AES-GCM under one key; what is encrypted for one name opens for no other."""

    def __init__(self, key_text: str) -> None:
        """Derive the key from a text nobody can guess.

        Errors:
            StartRefused: the text is too short for that.
        """
        if len(key_text) < KEY_TEXT_LENGTH_MIN:
            raise StartRefused(
                f"WELLHEAD_SECRET_KEY must have {KEY_TEXT_LENGTH_MIN} characters or more that"
                " nobody can guess; `openssl rand -hex 32` makes some"
            )
        kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"wellhead api key secrets")
        self._cipher = AESGCM(kdf.derive(key_text.encode()))

    def seal(self, secret: bytes, name: str) -> bytes:
        """Return the secret encrypted."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """Return the secret that was sealed under this name.

        Errors:
            Corrupt: it was sealed with another key or name, or was changed.
        """
        try:
            nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, rest, name.encode())
        except (InvalidTag, ValueError) as error:
            raise Corrupt(
                f"the secret of {name} cannot be decrypted: was it made with another"
                " WELLHEAD_SECRET_KEY or data folder?"
            ) from error


def key_text_of(path: Path) -> str:
    """Return the key text of a file that only we can read, made the first time.

    Errors:
        StartRefused: the file cannot be read or made.
    """
    try:
        if not path.exists():
            partial = path.with_name(f"{path.name}.{os.getpid()}")
            fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
        return path.read_text().strip()
    except OSError as error:
        raise StartRefused(f"cannot use the key file {path}: {error}") from error
