"""Bring the tables to the form this version needs: files of `migrations/`, in order, forward only.

The files have dbmate's format, so that an operator may apply them with that program as well.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import asyncpg

from exchange.io.db import APP_ROLE, Database, queries
from exchange.io.errors import RoleMissing, StartRefused

FOLDER: Final = Path(__file__).parents[2] / "migrations"
_NAME: Final = re.compile(r"(\d{4,14})_[a-z0-9_]+\.sql")
_UP: Final = re.compile(r"^--\s*migrate:up[^\n]*$", re.MULTILINE)
_DOWN: Final = re.compile(r"^--\s*migrate:down[^\n]*$", re.MULTILINE)


async def migrate(
    database: Database, progress: Callable[[str], None] = lambda _: None, folder: Path = FOLDER
) -> int:
    """Apply what is not applied yet and return how many files that were.

    Several processes may call this at once: one works, the others wait.

    Errors:
        DatabaseUnavailable: the server does not answer.
        RoleMissing: the application's role is missing and we may not make it.
        StartRefused: a newer version has changed the tables, or a file failed.
    """
    sql = queries("migrate")
    connection = await database.connect_owner()
    try:
        await connection.execute(sql["lock"])
        await _ensure_role(connection, sql)
        await connection.execute(sql["create_table"])
        applied = {row["version"] for row in await connection.fetch(sql["applied"])}
        files = migration_files(folder)
        if unknown := sorted(applied - set(files)):
            raise StartRefused(
                f"the database has migrations {', '.join(unknown)}, which this version does not"
                " know: it was used by a newer one"
            )
        missing = {v: p for v, p in files.items() if v not in applied}
        for version, path in missing.items():
            progress(f"migration {path.stem}")
            await _apply(connection, sql, version, path.name, up_part(path.read_text()))
        return len(missing)
    finally:
        await connection.close()


def migration_files(folder: Path = FOLDER) -> dict[str, Path]:
    """Return the migrations by version, oldest first."""
    found = {m.group(1): p for p in folder.glob("*.sql") if (m := _NAME.fullmatch(p.name))}
    return dict(sorted(found.items()))


def up_part(text: str) -> str:
    """Return what a file does on the way forward."""
    parts = _UP.split(text)
    return _DOWN.split(parts[1])[0] if len(parts) == 2 else ""


async def _apply(
    connection: asyncpg.Connection, sql: Mapping[str, str], version: str, name: str, text: str
) -> None:
    if not text.strip():
        raise StartRefused(f"{name} has no part '-- migrate:up'")
    try:
        async with connection.transaction():
            await connection.execute(sql["set_timeouts"])
            await connection.execute(text)
            await connection.execute(sql["record"], version)
    except asyncpg.PostgresError as error:
        raise StartRefused(f"migration {name} failed: {error}") from error


async def _ensure_role(connection: asyncpg.Connection, sql: Mapping[str, str]) -> None:
    """Make the application's role, and see that we may put it on."""
    try:
        if not await connection.fetchval(sql["role_exists"], APP_ROLE):
            await connection.execute(sql["create_role"])
        if not await connection.fetchval(sql["role_usable"], APP_ROLE):
            await connection.execute(sql["grant_role"])
    except asyncpg.DuplicateObjectError:
        return  # another database of this server made it at this moment
    except asyncpg.InsufficientPrivilegeError as error:
        user = await connection.fetchval(sql["current_user"])
        raise RoleMissing(
            f"the database user {user!r} may not make the role {APP_ROLE!r}; have an administrator"
            f" run: CREATE ROLE {APP_ROLE} NOLOGIN; GRANT {APP_ROLE} TO {user};"
        ) from error
