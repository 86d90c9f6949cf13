"""What every role stands on: the data folder, the database, its tables, the key of secrets."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import asyncpg

from exchange.config import Role, Settings
from exchange.io.db import Database
from exchange.io.embedded import EmbeddedPostgres
from exchange.io.errors import DatabaseUnavailable, StartRefused
from exchange.io.folder import DataFolder
from exchange.io.migrate import migrate
from exchange.io.secret_box import SecretBox, key_text_of
from exchange.services.node.progress import Progress

DATABASE_WAIT_S: Final = 60.0
POOL_SIZE: Final = 8


@dataclass(slots=True, kw_only=True)
class Ground:
    """Open until the stack it was made on closes."""

    settings: Settings
    folder: DataFolder
    postgres: EmbeddedPostgres | None  # None: the database is the operator's
    database: Database
    pool: asyncpg.Pool
    box: SecretBox
    began_ns: int  # the data folder was ours by then: no process before us served it any more


async def prepare(
    settings: Settings, folder: DataFolder, progress: Progress, stack: AsyncExitStack
) -> Ground:
    """Start the database and bring its tables up to date.

    Args:
        folder: locked by us.

    Errors:
        StartRefused: the operator must change something; the message says what.
        DatabaseUnavailable: the operator's database does not answer.
    """
    began_ns = time.time_ns()
    box = SecretBox(key_text(settings, folder))
    postgres = None
    if settings.database_url is None:
        postgres = EmbeddedPostgres(folder.path, settings.postgres_user)
        postgres.start(lambda what: progress(what))
        stack.callback(postgres.stop)
        database = Database.embedded(postgres)
        await migrate(database, lambda name: progress(name))
    else:
        database = Database.external(settings.database_url.get_secret_value())
        await _migrate_when_there(database, progress)
    pool = await database.pool(size_max=POOL_SIZE)
    stack.callback(pool.terminate)
    return Ground(
        settings=settings,
        folder=folder,
        postgres=postgres,
        database=database,
        pool=pool,
        box=box,
        began_ns=began_ns,
    )


async def _migrate_when_there(database: Database, progress: Progress) -> None:
    """Bring the tables up to date; the database may be starting beside us."""
    deadline = time.monotonic() + DATABASE_WAIT_S
    while True:
        try:
            await migrate(database, lambda name: progress(name))
        except DatabaseUnavailable:
            if time.monotonic() > deadline:
                raise
            progress("waiting for the database")
            await asyncio.sleep(1)
        else:
            return


def key_text(settings: Settings, folder: DataFolder) -> str:
    """Return the text that secrets are encrypted with.

    Errors:
        StartRefused: several processes share the keys, and were given no common text.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    needs_common = settings.has_role(Role.GATEWAY) or settings.has_role(Role.ENGINE)
    if settings.redis_url is not None and needs_common:
        raise StartRefused(
            "set WELLHEAD_SECRET_KEY, the same for every process of this exchange: api secrets"
            " are encrypted with it; `openssl rand -hex 32` makes one"
        )
    return key_text_of(folder.path / "secret.key")
