"""What the database itself must refuse: is it still told to? And money that was asked for."""

from typing import Final

from exchange.io.stored import Stored
from exchange.rules.findings import Finding

# Nothing that is in these is ever changed.
APPEND_ONLY: Final = (
    "ledger_account",
    "transfer",
    "posting",
    "trade",
    "position_event",
    "settlement",
    "accrual",
    "settlement_input",
    "settlement_note",
    "settlement_root",
    "variation",
    "journal_minute",
    "liquidation_event",
    "position_move",
    "waterfall_use",
    "adl_proof",
    "loss_proof",
    "fund_sizing",
    "ledger_head",
    "stress_result",
    "collateral_count",
    "asset_price",
    "observation",
    "observation_batch",
    "observation_quarantine",
    "observation_provider",
    "observation_provider_end",
    "fee_rate",
    "delivery_fee",
    "efd_fee",
    "index_panel",
    "index_print",
    "index_committee",
    "index_erratum",
    "giveup_event",
    "cdr_issuer",
    "cdr_issuer_end",
    "cdr_payment",
    "cdr_event",
    "cdr_telemetry",
    "cdr_quarantine",
    "cdr_curtailment",
    "cdr_root",
    "efd_session",
    "efd_entry",
    "efd_result",
    "efd_leg",
    "efd_leg_end",
    "default_bid",
    "default_auction_result",
    "default_award",
    "auction_admission",
    "membership",
    "port_event",
    "account_limit",
    "account_owner",
    "capacity",
    "account_credit",
    "notice",
)
UNGRANTED: Final = (*APPEND_ONLY, "journal_batch", "state_hash")
GUARDS: Final = (
    *((table, "append_only") for table in APPEND_ONLY),
    ("transfer", "transfer_balanced"),
    ("posting", "posting_appended"),
    ("observation", "observation_chained"),
    ("cdr_event", "cdr_chained"),
    ("default_bid", "default_bid_sealed"),
    ("membership", "membership_fits"),
    ("port", "port_whole"),
    ("settlement_correction", "settlement_correction_stays"),
)
# Who is told of what is written here, in the same transaction.
NOTED: Final = (
    "margin_call", "transfer_request", "asset_request", "giveup_event", "cdr_event", "alert",
    "notice",
)  # fmt: skip
ALWAYS: Final = "A"  # on, whatever a session says
STATES: Final = {"O": "on", "D": "off", "R": "on in replicas only", ALWAYS: "always on"}


async def guard_differences(stored: Stored) -> list[Finding]:
    """Return the triggers that are not always on, and what the application may do but must not."""
    triggers = await stored.triggers()
    # A month is written to through the whole table alone, whose triggers see each row.
    partitions = await stored.partitions()
    guards = [*GUARDS, *((table, "append_only") for table, _ in partitions)]
    guards += [
        (table, "transfer_balanced") for table, _ in partitions if table.startswith("transfer_")
    ]
    found = []
    for table, name in guards:
        state = triggers.get((table, name))
        if state != ALWAYS:
            now = STATES[state] if state is not None else "no trigger"
            found.append(Finding(table, "trigger", name, STATES[ALWAYS], now))
    granted = await stored.privileges(UNGRANTED)
    for table, privileges in partitions:
        granted += [(table, privilege) for privilege in privileges]
    for table, privilege in granted:
        found.append(Finding(table, "role wellhead_app", privilege, "not granted", "granted"))
    return found


async def head_differences(stored: Stored) -> list[Finding]:
    """Return the daily heads that the postings contradict, or that nobody signed."""
    return [
        Finding("ledger_head", f"day {day}", field, expected, found)
        for day, field, expected, found in await stored.wrong_heads()
    ]


async def index_differences(stored: Stored) -> list[Finding]:
    """Return where the published index is not the chain that was written."""
    return await stored.wrong_index()


async def delivery_differences(stored: Stored) -> list[Finding]:
    """Return where the registry of receipts is not what was written."""
    return await stored.wrong_delivery()


async def webhook_differences(stored: Stored) -> list[Finding]:
    """Return what webhooks were told otherwise, and triggers that should tell them and do not."""
    triggers = await stored.triggers()
    found = [
        Finding(table, "trigger", "webhook_noted", STATES["O"], _state(triggers, table))
        for table in NOTED
        if triggers.get((table, "webhook_noted")) not in ("O", ALWAYS)
    ]
    return found + await stored.wrong_webhooks()


def _state(triggers: dict[tuple[str, str], str], table: str) -> str:
    state = triggers.get((table, "webhook_noted"))
    return STATES[state] if state is not None else "no trigger"


async def observation_differences(stored: Stored) -> list[Finding]:
    """Return observations that were changed, and submissions that nobody signed."""
    return await stored.wrong_observations()


async def request_differences(stored: Stored, cleared_seq: int) -> list[Finding]:
    """Return requests for money that are said to be done and were posted otherwise."""
    found = []
    for table, key, amount_name, rows in (
        ("transfer_request", "transfer_id", "amount_usd_micros",
         await stored.wrong_requests(cleared_seq)),
        ("asset_request", "request_id", "units", await stored.wrong_asset_requests(cleared_seq)),
    ):  # fmt: skip
        for request_id, *row in rows:
            account_idx, ref_id, amount, posted_ref_id, posted_account_idx, posted = row
            fields = f"ref_id, account_idx, {amount_name}"
            expected = f"{posted_ref_id}, {posted_account_idx}, {posted}"
            was = f"{ref_id}, {account_idx}, {amount}"
            found.append(Finding(table, f"{key} {request_id}", fields, expected, was))
    return found
