"""The operator's key: made at the first start, kept in the data folder for its owner alone."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Final

from exchange.io.errors import DatabaseUnavailable
from exchange.io.registry import Accounts, ApiKeys, Scope

ACCOUNT_ID: Final = "operator"
FILE_NAME: Final = "admin.json"
TIMEOUT_S: Final = 60.0  # for all of it: a database that restarts, an account that is opened
RETRY_S: Final = 0.5


async def ensure_operator_key(
    folder: Path, url: str | None, accounts: Accounts, keys: ApiKeys
) -> None:
    """See that the folder has a key of every scope that this database knows.

    A database that restarts meanwhile is waited for: safe to repeat.

    Errors:
        DatabaseUnavailable: it did not come back in time, or the account was not opened.
    """
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return await _ensure(folder, url, accounts, keys, deadline)
        except DatabaseUnavailable:
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(RETRY_S)


async def _ensure(
    folder: Path, url: str | None, accounts: Accounts, keys: ApiKeys, deadline: float
) -> None:
    path = folder / FILE_NAME
    known = _read(path)
    if known is not None:
        key = await keys.find(known["key"])
        if key is not None and key.revoked_at_ns is None:
            if known.get("url") != url:
                _write(path, {**known, "url": url})
            return
    account = await accounts.create(account_id=ACCOUNT_ID, name="Operator", kind="operator")
    await accounts.wait_open(account.account_idx, max(0.0, deadline - time.monotonic()))
    made = await keys.create(
        account_idx=account.account_idx, label="the node's operator", scopes=frozenset(Scope)
    )
    assert made.secret_text is not None
    _write(
        path,
        {
            "url": url,
            "account_id": ACCOUNT_ID,
            "key": made.key.key_id,
            "secret": made.secret_text,
        },
    )


def _read(path: Path) -> dict[str, str] | None:
    """Return what the file says, None if there is none that can be used."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("key"), str) else None


def _write(path: Path, body: dict[str, str | None]) -> None:
    """Replace the file at once by one that only its owner can read."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        json.dump({k: v for k, v in body.items() if v is not None}, file, indent=2)
        file.write("\n")
    partial.replace(path)
