"""The risk desk: who stands where, down to the postings; and what a bad day would do to all."""

import asyncio
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from api import answers_account, answers_desk, answers_margin
from api.account_ids import account_by
from api.deps import Admin, Page, Query, QueryOf, Services, ServicesDep, count_public, whole
from api.desk import desk_of
from api.edge import json_response
from api.errors import Problem
from api.routes.history import cursor_out
from api.routes.public import stamped
from api.stories import stories_of
from api.views import caught_up
from exchange.io.stress_results import DAY_MAX
from exchange.io.views import Span
from exchange.rules.desk import DeskRow, by_danger, totals_of
from exchange.rules.margin import MarginState, margin_of
from exchange.rules.stress_play import STORIES, STORY_BY_NAME, Outcome, Story, struck

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])
admin = APIRouter(prefix="/admin", tags=["admin"])

POSTINGS_SHOWN: Final = 20
NEWEST: Final = (1 << 63) - 1
EPOCH: Final = date(1970, 1, 1)
WORDS: Final = {None: True, "true": True, "false": False}


class DeskQuery(Query):
    """How many accounts, and of which state only."""

    limit: str | None = None
    state: str | None = None


class StressQuery(Query):
    """Whether the whole story is played, or what counts of it within the margin period."""

    whole: str | None = None


class StoryQuery(StressQuery):
    """Of which account only, or of how many."""

    account_id: str | None = None
    limit: str | None = None


class DayQuery(Query):
    """The results of which day."""

    day: str | None = None


def is_whole(text: str | None) -> bool:
    """Return whether the whole story is asked for."""
    if text not in WORDS:
        raise Problem("query_invalid", "true or false", field="whole")
    return WORDS[text]


def shown_count(text: str | None) -> int:
    """Return how many accounts are shown."""
    return whole(text, "limit", 100, 1, 1_000)


async def slot_of(services: Services, account_id: str) -> int:
    """Return the slot of an account that the core knows."""
    account = await account_by(services, account_id)
    await services.gateway.barrier()
    if account.account_idx >= len(services.gateway.mirror.accounts):
        raise Problem("account_unknown", "the account is not open yet", status=404)
    return account.account_idx


def story_by(name: str) -> Story:
    """Return the story of a name."""
    story = STORY_BY_NAME.get(name)
    if story is None:
        raise Problem("story_unknown", "there is no such story; GET /admin/risk/stress lists them")
    return story


# Accounts


@admin.get("/risk/accounts", summary="Every account's risk, the nearest to its end first")
async def list_risk(
    services: ServicesDep, who: Admin, query: Annotated[DeskQuery, Depends(QueryOf(DeskQuery))]
) -> Response:
    """Return equity, requirement, worst scenario and state of accounts, and the totals of all."""
    if query.state is not None and query.state not in set(MarginState):
        words = ", ".join(MarginState)
        raise Problem("query_invalid", f"one of {words}", field="state")
    count, room = shown_count(query.limit), desk_of(services)
    rows = await room.rows()
    stories = await stories_of(services, services.gateway.mirror)
    # In a thread: a row is never changed, and a hundred thousand take a second to sort.
    chosen = await asyncio.to_thread(_of_state, rows, query.state)
    house_idx = room.house_idx
    house = next((row for row in rows if row.account_idx == house_idx), None)
    content = {
        "accounts": [answers_desk.row(row, room, stories) for row in chosen[:count]],
        "matching": len(chosen),
        "totals": answers_desk.totals(await asyncio.to_thread(totals_of, rows), house),
    }
    return json_response(stamped(services, content))


def _of_state(rows: list[DeskRow], state: str | None) -> list[DeskRow]:
    """Return the rows of a state, of all without one, the nearest to its end first."""
    return by_danger(row for row in rows if state in (None, row.state.value))


@admin.get("/risk/accounts/{account_id}", summary="One account's risk, down to its postings")
async def get_risk(services: ServicesDep, who: Admin, account_id: str) -> Response:
    """Return positions, the loss of each in every scenario, and the postings behind the cash.

    `ledger` says as of which command the postings are: clearing may be moments behind.
    """
    account_idx, room = await slot_of(services, account_id), desk_of(services)
    await room.learn()
    page = await services.views.ledger(account_idx, Span(limit=POSTINGS_SHOWN))
    await services.gateway.barrier()
    state = services.gateway.mirror
    stories = await stories_of(services, state)
    margin, row = margin_of(state, account_idx), services.desk.row(state, account_idx)
    losses = range(margin.tail.scenario_count)
    held = [(state.contracts[idx], lots) for idx, lots in row.lots]
    content = {
        "account": answers_desk.row(row, room, stories),
        "margin": answers_margin.margin(state, margin, stories),
        "positions": [
            answers_account.position(contract, state.position(account_idx, contract.contract_idx))
            for contract, _ in held
        ],
        "scenarios": [answers_margin.loss(margin, number, stories) for number in losses],
        "position_losses": [
            answers_desk.scenario_losses(contract, lots, state.shocks[contract.contract_idx])
            for contract, lots in held
        ],
        "postings": [answers_desk.posting(entry) for entry in page.rows],
        "ledger": {"seq": page.seq, "next_cursor": cursor_out(page.cursor)},
    }
    return json_response(stamped(services, content))


@admin.get("/risk/accounts/{account_id}/postings", summary="The postings behind an account's cash")
async def list_risk_postings(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    query: Annotated[Page, Depends(QueryOf(Page))],
) -> Response:
    """Return what was posted to an account's cash, newest first."""
    span = Span(limit=query.size(), cursor=query.place())
    account_idx = await slot_of(services, account_id)
    await caught_up(services.views, services.gateway.mirror.seq)
    page = await services.views.ledger(account_idx, span)
    rows = [answers_desk.posting(entry) for entry in page.rows]
    content = {"postings": rows, "next_cursor": cursor_out(page.cursor)}
    return json_response(stamped(services, content))


@admin.get("/ledger/transfers/{transfer_id}", summary="One transfer with all its postings")
async def get_ledger_transfer(services: ServicesDep, who: Admin, transfer_id: str) -> Response:
    """Return every side of a transfer; per asset they sum to zero."""
    number = whole(transfer_id, "transfer_id", 0, 1, NEWEST)
    rows = await services.views.transfer(number)
    if not rows:
        raise Problem("transfer_unknown", "there is no such transfer")
    return json_response(stamped(services, {"transfer": answers_desk.transfer(rows)}))


# Stress


@admin.get("/risk/stress", summary="What every story would do to all accounts")
async def list_stress(
    services: ServicesDep, who: Admin, query: Annotated[StressQuery, Depends(QueryOf(StressQuery))]
) -> Response:
    """Play every story on a copy, the house's worst first; nothing is changed."""
    complete, room = is_whole(query.whole), desk_of(services)
    rows = await room.rows()
    found = [await room.play(rows, story, whole=complete) for story in STORIES]
    found.sort(key=_badness)
    content = {"stories": [answers_desk.outcome(one, whole=complete) for one in found]}
    return json_response(stamped(services, content))


def _badness(one: Outcome) -> tuple[int, int, int, int, str]:
    return (
        one.house_usd_micros, -one.waterfall.loss_usd_micros, -one.shortfall_usd_micros,
        -one.lost_usd_micros, one.story.name,
    )  # fmt: skip


@admin.get("/risk/stress/{name}", summary="What one story would do, account by account")
async def get_stress(
    services: ServicesDep,
    who: Admin,
    name: str,
    query: Annotated[StoryQuery, Depends(QueryOf(StoryQuery))],
) -> Response:
    """Play a story on a copy: who gains and loses, who would be called or liquidated, who pays."""
    complete, count = is_whole(query.whole), shown_count(query.limit)
    story = story_by(name)
    only = None if query.account_id is None else await slot_of(services, query.account_id)
    room = desk_of(services)
    rows = await room.rows()
    outcome = await room.play(rows, story, whole=complete)
    state = services.gateway.mirror
    chosen = [one for one in outcome.accounts if only in (None, one.account_idx)]
    lots = _lots_of(rows, only)
    content: dict[str, Any] = {
        "outcome": answers_desk.outcome(outcome, whole=complete),
        "accounts": [answers_desk.struck(one, room) for one in chosen[:count]],
        "layers": answers_desk.layers(outcome, room),
        "moves": [
            answers_desk.move(state.contracts[idx], usd_micros)
            for idx, usd_micros in room.machine.moves(state, story, whole=complete).items()
            if idx in lots
        ],
    }
    return json_response(stamped(services, content))


def _lots_of(rows: list[DeskRow], only: int | None) -> set[int]:
    """Return the contracts that somebody holds, or that one account does."""
    return {idx for row in rows if only in (None, row.account_idx) for idx, _ in row.lots}


@admin.get("/risk/accounts/{account_id}/stress", summary="What every story would do to one account")
async def list_account_stress(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    query: Annotated[StressQuery, Depends(QueryOf(StressQuery))],
) -> Response:
    """Play every story on a copy of one account, the worst first; nothing is changed."""
    complete, room = is_whole(query.whole), desk_of(services)
    account_idx = await slot_of(services, account_id)
    await room.learn()
    state = services.gateway.mirror
    row, owner = services.desk.row(state, account_idx), room.owner(account_idx)
    found = [
        (story, struck(state, row, room.machine.moves(state, story, whole=complete), story, owner))
        for story in STORIES
    ]
    found.sort(key=lambda pair: (pair[1].after_usd_micros, pair[0].name))
    content = {
        "stories": [
            {"name": story.name, "story": story.row.story, **answers_desk.struck(one, room)}
            for story, one in found
        ]
    }
    return json_response(stamped(services, content))


@public.get("/stress", summary="The house's result in every named stress, last night")
async def list_stress_results(
    services: ServicesDep, query: Annotated[DayQuery, Depends(QueryOf(DayQuery))]
) -> Response:
    """Return what was played after the settlement of a day, or of the last day before it."""
    day = DAY_MAX
    if query.day is not None:
        try:
            day = (date.fromisoformat(query.day) - EPOCH).days
        except ValueError:
            raise Problem("query_invalid", "a day is like 2026-11-22", field="day") from None
    found = await services.stress.of_day(day) if services.stress is not None else []
    content = {"results": [answers_desk.stored(one) for one in found]}
    return json_response(stamped(services, content))
