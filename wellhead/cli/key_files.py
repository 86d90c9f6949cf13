"""Files with a private Ed25519 key: one line, readable by its owner alone."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from wellhead.cli.exits import CliError, Exit, why
from wellhead.signing import ED25519

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def new_key(file: Path) -> str:
    """Write a new key; return the public part in hex.

    Errors:
        CliError: the file is there already, or cannot be written.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CliError(Exit.USAGE, "usage", f"{file}: {error.strerror}") from error
    with os.fdopen(opened, "w") as target:
        target.write(ED25519 + key.private_bytes_raw().hex() + "\n")
    return key.public_key().public_bytes_raw().hex()


def read_key(file: Path) -> "Ed25519PrivateKey":
    """Return the key of a file.

    Errors:
        CliError: there is none in it.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        text = file.read_text(encoding="ascii").strip()
        if not text.startswith(ED25519):
            raise ValueError("it is no key of `keygen`")
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.removeprefix(ED25519)))
    except (OSError, ValueError) as error:
        raise CliError(Exit.USAGE, "usage", f"{file}: {why(error)}") from error
