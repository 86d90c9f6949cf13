"""How large the default fund has to be today: Cover-2 over the live scenarios, with its inputs.

A group's loss beyond margin in a scenario is the loss of its positions less what is held for them:
its initial margin, or its equity where that is less. What a fund of this size covers, and who pays
how much of it, is `default_fund.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from exchange.rules.default_fund import (
    Alarm,
    AlarmKind,
    CoverLoss,
    alarms,
    contributions_usd_micros,
    cover_loss,
    fund_size_usd_micros,
)
from exchange.rules.layers import Funds, has_usd_micros
from exchange.rules.margin import exposures_of, tail_of, without_orders
from exchange.rules.mirror_state import MirrorState
from exchange.rules.requirement import Exposure, requirement_of
from exchange.rules.standing import equity_usd_micros
from exchange.rules.tails import Tail

LEAST_USD_MICROS: Final = 10_000_000_000  # that every clearing member has in the fund: $10,000
MEMBER_KIND: Final = "member"
DAY_NS: Final = 24 * 3600 * 1_000_000_000


class Book(NamedTuple):
    """One account's positions, as they were at one command."""

    account_idx: int
    level_bps: int
    profile: int  # Profile
    equity_usd_micros: int
    exposures: list[Exposure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All positions at one command: what a sizing is made from."""

    seq: int
    ts_ns: int
    scenario_count: int
    matrix: str  # hash of the live scenarios
    tail: Tail
    books: tuple[Book, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLoss:
    """What a group holds as margin, and what it loses in each scenario; usd micros."""

    margin_usd_micros: int
    losses_usd_micros: tuple[int, ...]


def books_of(state: MirrorState, without: frozenset[int]) -> Books:
    """Return all open positions now, but those of the accounts that are layers themselves."""
    books = [
        Book(
            account.account_idx, account.level_bps, account.profile,
            equity_usd_micros(state, account.account_idx),
            [without_orders(one) for one in exposures_of(state, account.account_idx)],
        )
        for account in state.accounts
        if account.account_idx not in without
        and any(position.qty_lots for position in account.positions.values())
    ]  # fmt: skip
    return Books(
        seq=state.seq, ts_ns=state.ts_ns, scenario_count=state.scenario_count,
        matrix=matrix_hash(state.shocks),
        tail=tail_of(state), books=tuple(books),
    )  # fmt: skip


def matrix_hash(shocks: Sequence[Sequence[int]]) -> str:
    """Return the hash of scenarios, by contract and scenario."""
    return blake2b(repr(shocks).encode("ascii"), digest_size=16).hexdigest()


def held_of(
    state: MirrorState, names: Iterable[tuple[int, str, str]], funds: Funds
) -> dict[str, int]:
    """Return what every clearing member has in the fund, by public id."""
    return {
        name: has_usd_micros(state, funds.shares[idx]) if idx in funds.shares else 0
        for idx, name, kind in names
        if kind == MEMBER_KIND and idx < len(state.accounts)
    }


def loss_of(book: Book, books: Books) -> GroupLoss:
    """Return what one account loses beyond what is held for it."""
    required = requirement_of(book.exposures, books.tail, book.level_bps, book.profile)
    margin = max(0, min(required.initial_usd_micros, book.equity_usd_micros))
    losses = tuple(required.losses_usd_micros[: books.scenario_count])
    return GroupLoss(margin_usd_micros=margin, losses_usd_micros=losses)


def joined(parts: Iterable[tuple[str, GroupLoss]]) -> dict[str, GroupLoss]:
    """Return the losses of groups: those of their accounts, together."""
    groups: dict[str, GroupLoss] = {}
    for group, part in parts:
        own = groups.get(group)
        if own is not None:
            part = GroupLoss(
                margin_usd_micros=own.margin_usd_micros + part.margin_usd_micros,
                losses_usd_micros=tuple(
                    map(sum, zip(own.losses_usd_micros, part.losses_usd_micros, strict=True))
                ),
            )
        groups[group] = part
    return groups


def cover_of(groups: Mapping[str, GroupLoss], scenario: int) -> CoverLoss:
    """Return the two groups that lose most beyond margin in a scenario."""
    return cover_loss(
        str(scenario),
        {name: group.losses_usd_micros[scenario] for name, group in groups.items()},
        {name: group.margin_usd_micros for name, group in groups.items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What the fund must be, and what it is."""

    size_usd_micros: int
    held_usd_micros: int
    body: dict[str, Any]  # JSON: inputs and results


def sizing_of(
    books: Books,
    groups: Mapping[str, GroupLoss],
    covers: Sequence[CoverLoss],
    held: Mapping[str, int],
) -> Sizing:
    """Return today's size; `held` is what each clearing member has in the fund."""
    size = fund_size_usd_micros(covers)
    margins = {
        name: groups[name].margin_usd_micros if name in groups else 0 for name in sorted(held)
    }
    required = contributions_usd_micros(size, margins, LEAST_USD_MICROS) if margins else {}
    total = sum(held.values())
    worst = max(covers, key=lambda cover: cover.total_usd_micros, default=None)
    body = {
        "scenarios": books.scenario_count,
        "matrix": books.matrix,
        "worst": worst.scenario if worst is not None and worst.total_usd_micros else None,
        "covers": [asdict(cover) for cover in covers],
        "groups": {
            name: {
                "margin_usd_micros": group.margin_usd_micros,
                "worst_usd_micros": max(0, *group.losses_usd_micros, 0),
            }
            for name, group in groups.items()
        },
        "members": {
            name: {"held_usd_micros": held[name], "required_usd_micros": required[name]}
            for name in required
        },
        "alarms": [asdict(alarm) for alarm in worst_alarms(covers, total)],
    }
    return Sizing(size_usd_micros=size, held_usd_micros=total, body=body)


def worst_alarms(covers: Sequence[CoverLoss], fund_usd_micros: int) -> list[Alarm]:
    """Return of each kind of alarm the one that is furthest beyond its limit."""
    worst: dict[AlarmKind, Alarm] = {}
    for alarm in alarms(covers, fund_usd_micros):
        if alarm.kind not in worst or alarm.used_bps > worst[alarm.kind].used_bps:
            worst[alarm.kind] = alarm
    return [worst[kind] for kind in AlarmKind if kind in worst]


def day_of(ts_ns: int) -> int:
    """Return the day since 1970 of a time of the core."""
    return ts_ns // DAY_NS
