"""A hash of everything clearing writes, to compare two runs."""

import asyncpg

from exchange.io.db import Database

CLEARED = {
    "ledger_account": "*",
    "transfer": "*",
    "posting": "*",
    "balance": "*",
    "trade": "*",
    "position_event": "*",
    "position": "*",
    "contract": "*",
    "settlement": "*",
    "accrual": "*",
    "variation": "*",
    "liquidation_event": "*",
    "position_move": "*",
    "waterfall_use": "*",
    "order_history": "*",
    "kline": "*",
    "journal_minute": "*",
    "collateral_count": "*",
    "asset_price": "*",
    "fee_rate": "*",
    "ledger_head": "day, last_transfer_id, digest",
    "follower": "name, last_seq",
}


async def table_hashes(database: Database) -> dict[str, tuple[int, str]]:
    """Return the number of rows and a hash of each table."""
    connection = await asyncpg.connect(database.owner_url)
    try:
        return {
            table: tuple(
                await connection.fetchrow(
                    "SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
                    f" FROM (SELECT {columns} FROM {table}) AS t"
                )
            )
            for table, columns in CLEARED.items()
        }
    finally:
        await connection.close()


async def forced(database: Database, *statements: str) -> None:
    """Run statements as the owner with every trigger of the cleared tables switched off."""
    connection = await asyncpg.connect(database.owner_url)
    try:
        async with connection.transaction():
            for table in CLEARED:
                await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            for statement in statements:
                await connection.execute(statement)
            for table in CLEARED:
                await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
    finally:
        await connection.close()
