"""Are calls of the exchange for delivery what their inputs say, and did what they say happen?"""

import hashlib
import json
from typing import Any, Final

import asyncpg

from exchange.io.db import queries
from exchange.io.efd import LEG_BASE
from exchange.rules.delivery.exchange import Entry
from exchange.rules.delivery.exchange_check import faults_of_result
from exchange.rules.findings import Finding

TOGETHER: Final = 100
FINDINGS_MAX: Final = 20

_SQL: Final = queries("efd")


async def efd_findings(connection: asyncpg.Connection) -> list[Finding]:
    """Return what of the calls is not as it was written, or does not follow from its inputs."""
    found: list[Finding] = []
    last = ""
    while rows := await connection.fetch(_SQL["all_results"], last, TOGETHER):
        for row in rows:
            found += await _wrong(connection, row["session_id"], row["body"], row["digest"])
        last = rows[-1]["session_id"]
    for row in await connection.fetch(_SQL["ends_wrong"], LEG_BASE):
        found.append(Finding("efd_leg_end", row["place"], "seq", row["expected"], row["found"]))
    return found[:FINDINGS_MAX]


async def _wrong(
    connection: asyncpg.Connection, name: str, text: str, digest: bytes
) -> list[Finding]:
    if hashlib.sha256(text.encode()).digest() != digest:
        return [Finding("efd_result", name, "digest", "of its body", "of something else")]
    try:
        body = json.loads(text)
        found = [
            Finding("efd_result", name, "body", "sound", one) for one in faults_of_result(body)
        ]
    except ValueError as error:
        return [Finding("efd_result", name, "body", "a result", str(error))]
    entries = [Entry(*row) for row in await connection.fetch(_SQL["entries"], name)]
    said = [Entry(*(row[field] for field in Entry._fields)) for row in body["entries"]]
    if entries != said:
        found.append(Finding("efd_entry", name, "entries", "those of the result", "others"))
    legs = [tuple(row) for row in await connection.fetch(_SQL["all_legs"], name)]
    due = [
        (leg["place"], leg["buyer_idx"], leg["seller_idx"], leg["receipt_id"], leg["lots"],
         body["settle_ticks"])
        for leg in body["legs"]
    ]  # fmt: skip
    if legs != due:
        found.append(Finding("efd_leg", name, "legs", "those of the result", "others"))
    return found + await _beyond(connection, name, body)


async def _beyond(connection: asyncpg.Connection, name: str, body: dict[str, Any]) -> list[Finding]:
    """Return accounts that exchange more lots than they had at the call."""
    filled: dict[int, int] = {}
    for row in body["entries"]:
        lots = row["filled"] * (1 - 2 * row["side"])
        filled[row["account_idx"]] = filled.get(row["account_idx"], 0) + lots
    if (await connection.fetchval(_SQL["cleared_seq"]) or 0) < body["seq"]:
        return []  # clearing has not said it yet
    session = await connection.fetchrow(_SQL["session"], name)
    rows = await connection.fetch(
        _SQL["positions_at"], session["contract_idx"], body["seq"], list(filled)
    )
    held = {row[0]: row[1] for row in rows}
    return [
        Finding("efd_result", f"{name} account {idx}", "lots", f"within {held.get(idx, 0)}",
                str(lots))
        for idx, lots in sorted(filled.items())
        if lots and not 0 < lots * (1 if held.get(idx, 0) > 0 else -1) <= abs(held.get(idx, 0))
    ]  # fmt: skip
