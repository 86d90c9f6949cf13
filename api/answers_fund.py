"""The default fund, shares of it, and losses that it bore, as JSON."""

from collections.abc import Mapping
from typing import Any

from api import answers
from exchange.io.funds import LossSeen, PartySeen, SizingSeen
from exchange.rules.adl import tag_of
from exchange.rules.money import usd_text
from exchange.rules.waterfall import LAYER_AT


def fund(sizing: SizingSeen) -> dict[str, Any]:
    """Return the size of a day."""
    body = sizing.body
    worst = max((sum(one["losses_usd_micros"]) for one in body["covers"]), default=0)
    return {
        "seq": sizing.seq,
        "ts": answers.millis(sizing.ts_ns),
        "size": usd_text(sizing.size_usd_micros),
        "held": usd_text(sizing.held_usd_micros),
        "cover_2": usd_text(worst),
        "scenario": body["worst"],
        "scenarios": body["scenarios"],
        "matrix": body["matrix"],
        "alarms": [
            {
                "kind": one["kind"], "scenario": one["scenario"], "used_bps": one["used_bps"],
                "limit_bps": one["limit_bps"],
            }
            for one in body["alarms"]
        ],
    }  # fmt: skip


def covers(sizing: SizingSeen) -> list[dict[str, Any]]:
    """Return the two largest losses beyond margin of each scenario, the worst first."""
    rows = [one for one in sizing.body["covers"] if sum(one["losses_usd_micros"])]
    rows.sort(key=lambda one: (-sum(one["losses_usd_micros"]), int(one["scenario"])))
    return [
        {
            "scenario": one["scenario"],
            "account_ids": list(one["groups"]),
            "losses": [usd_text(loss) for loss in one["losses_usd_micros"]],
        }
        for one in rows
    ]


def share(account_id: str, held: int, required: int, due_by: int | None) -> dict[str, Any]:
    """Return what a member has in the fund, and until when it pays in; usd micros, ns."""
    return {
        "account_id": account_id,
        "held": usd_text(held),
        "required": usd_text(required),
        "due": usd_text(max(0, required - held)),
        "due_by": None if due_by is None else answers.millis(due_by),
    }


def house(layers: Mapping[str, tuple[int, int]]) -> list[dict[str, str]]:
    """Return what the house's layers have, and what they lack; usd micros."""
    return [
        {"layer": name, "held": usd_text(held), "owes": usd_text(owes)}
        for name, (held, owes) in layers.items()
    ]


def public_use(row: PartySeen, liquidation_id: int) -> dict[str, Any]:
    """Return money that a layer gave, its owner by tag alone; whole numbers, as in proofs."""
    return {
        "seq": row.seq,
        "place": row.layer,
        "tag": tag_of(row.party_idx, liquidation_id),
        "amount_usd_micros": row.amount_usd_micros,
    }


def own_loss(row: LossSeen, tag: str) -> dict[str, Any]:
    """Return what a default cost an account."""
    return {
        "liquidation_id": str(row.liquidation_id),
        "seq": row.seq,
        "ts": answers.millis(row.ts_ns),
        "layer": LAYER_AT[row.layer].name.value,
        "tag": tag,
        "amount": usd_text(row.amount_usd_micros),
    }
