"""Every answer has the shape that the OpenAPI document says, and every shape is said."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from api import shapes
from api.openapi import ANSWERS, codes, document, operations
from api.routes import scenarios
from exchange.io.default_auctions import MoveOfAward
from exchange.io.defaults import LiquidationSeen, MoveSeen, UseSeen
from exchange.io.funds import LossSeen, PartySeen, SizingSeen
from exchange.rules.adl import Candidate, Closing, plan, tag_of
from exchange.rules.contracts import parse_symbol
from exchange.rules.delivery.exchange import Called, Session, body_of, result_fields
from exchange.rules.delivery.receipts import receipt_id_of
from exchange.rules.delivery.uncross import NOTHING
from exchange.rules.loss_proof import Round, proof_of
from exchange.rules.margin_calls import issue
from exchange.rules.waterfall import LayerName
from matching.codes import Kind, TradingState
from matching.wire import pack_legs
from tests.support.api_world import OTHER, SYMBOL, World, running
from tests.support.memory_auctions import result, terms
from tests.support.receipts import redeemed
from tests.support.rows import command
from tests.support.scenario_sets import built, make_live

BUY = {"symbol": SYMBOL, "side": "buy", "price": "1.990", "quantity": "3"}
ADDRESS = {"asset": "UST", "address": "bc1-somewhere"}
DAY_NS = 24 * 3600 * 1_000_000_000


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch):
    async def build_in_child(day: object, prices: object) -> object:
        return built().document()

    monkeypatch.setattr(scenarios, "build_in_child", build_in_child)
    async with running() as one:
        yield one


def with_a_default(world: World) -> None:
    """Let one account have a liquidation with everything that belongs to one, and a call."""
    idx, rows = 0, world.defaults
    seen = LiquidationSeen(9, "alice", idx, 10**18, -5, 100, 80, 2 * 10**18, 0)
    rows.seen, rows.moved = [seen], [MoveSeen(10, 3, SYMBOL, "alice", "bob", 1, 2_000, 3, 10**18)]
    rows.used = [UseSeen(11, 3, "insurance", "alice", 5, 10**18)]
    closing = Closing(
        liquidation_id=9, round_no=1, symbol=SYMBOL, qty_lots=3, price_ticks=2_000,
        mark_ticks=1_900, tick_value_usd_micros=1, state_seq=8,
    )  # fmt: skip
    other = Candidate(
        account_id=4, qty_lots=-3, entry_usd_micros=-6_000, value_usd_micros=-5_700,
        equity_usd_micros=10**6,
    )  # fmt: skip
    rows.kept = {(9, 1): plan(closing, [other])[0]}
    rows.all_calls = [issue(1, idx, 50, 10**18)]
    rows.names = {idx: "alice"}
    head = Round(liquidation_id=9, round_no=10, loss_usd_micros=5)
    rows.borne = {(9, 10): proof_of(head, [(LayerName.HOUSE_FIRST, tag_of(0, 9), 7)])}
    rows.paid = [PartySeen(11, 3, 0, 5)]
    rows.own = [LossSeen(9, 11, 7, 5, 10**18)]
    members = {"operator": {"held_usd_micros": 2, "required_usd_micros": 3_000_000}}
    covers = [{"scenario": "3", "groups": ["bob", "alice"], "losses_usd_micros": [4, 3]}]
    alarm = {"kind": "largest", "scenario": "3", "used_bps": 5_000, "limit_bps": 4_500}
    body = {"worst": "3", "scenarios": 128, "matrix": "ab", "covers": covers, "alarms": [alarm],
            "members": members}  # fmt: skip
    rows.sized = [SizingSeen(11_574, 9, 10**18, 8, 2, body)]


async def collateral_calls(world: World) -> list[tuple[str, str, str, Any]]:
    """Return one good call of every operation on collateral; one withdrawal waits already."""
    admin = "/admin/accounts/operator"
    wish = {**ADDRESS, "amount": "2.5"}
    deposit = {"asset": "UST", "amount": "100.5"}
    await world.call("operator", "POST", "/admin/assets/UST/price", {"price": "0.9875"})
    await world.call("operator", "POST", f"{admin}/assets", deposit)
    world.now_ns, now = (lambda: now() - 2 * DAY_NS), world.now_ns  # no hold any more
    await world.call("operator", "POST", "/withdrawal-addresses", ADDRESS)
    world.now_ns = now
    asked = (await world.call("operator", "POST", "/withdrawals", wish)).json()["withdrawal"]
    other = {"account_id": "operator-2", "name": "Operator"}
    await world.call("operator", "POST", "/admin/accounts", other)
    decision = f"/admin/withdrawals/{asked['request_id']}"
    return [
        ("price_asset", "POST", "/admin/assets/UST/price", {"price": "0.9876", "source": "feed"}),
        ("deposit_asset", "POST", f"{admin}/assets", {**deposit, "transfer_id": "a1"}),
        ("get_collateral", "GET", "/collateral", None),
        ("list_addresses", "GET", "/withdrawal-addresses", None),
        ("add_address", "POST", "/withdrawal-addresses", {"asset": "BTC", "address": "bc1-new",
         "label": "vault"}),
        ("request_withdrawal", "POST", "/withdrawals", {**wish, "withdrawal_id": "w1"}),
        ("list_withdrawals", "GET", "/withdrawals", None),
        ("list_open_withdrawals", "GET", "/admin/withdrawals", None),
        ("decide_withdrawal", "POST", decision, {"action": "approve"}),
        ("decide_withdrawal", "POST", decision, {"action": "pay"}),
        ("remove_address", "DELETE", "/withdrawal-addresses", ADDRESS),
        ("transfer_between", "POST", "/transfers", {"to": "operator-2", "amount": "250.5"}),
    ]  # fmt: skip


def day_ahead(days: int) -> str:
    """Return the day so many days ahead."""
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def observation_calls() -> list[tuple[str, str, str, Any]]:
    """Return one good call of every operation on observations."""
    admin, now = "/admin/observations", datetime.now(UTC).isoformat()
    row = {"sku": "H100-SXM", "usd_per_gpu_hour": "2.35", "kind": "offer", "ts": now}
    key = {"provider": "good", "licence": "own", "public_key": "5f" * 32}
    return [
        ("submit_observations", "POST", "/observations", {"rows": [row, {"sku": "L4"}]}),
        ("list_observations", "GET", "/observations", None),
        ("list_quarantine", "GET", f"{admin}/quarantine", None),
        ("add_provider_key", "POST", f"{admin}/providers", key),
        ("list_provider_keys", "GET", f"{admin}/providers", None),
        ("end_provider_key", "DELETE", f"{admin}/providers/wp_x", None),
    ]


async def delivery_calls(world: World) -> list[tuple[str, str, str, Any]]:
    """Return one good call of every operation on physical delivery."""
    admin, path = "/admin/delivery", "/delivery/receipts"
    hours = {"start_ts": 900_000 * 3_600_000, "end_ts": 900_048 * 3_600_000}
    issuer = {"account_id": "operator", "public_key": "5f" * 32, "audit": "a", "acceptance": "b",
              "acceptance_hours": 48}  # fmt: skip
    receipt = {"sku": "H100", "hub": "USE", "nodes": ["n1"], "gpus_per_node": 8, **hours,
               "shares": [{"account_id": "alice", "bps": 500}], "receipt_key": "one"}  # fmt: skip
    reading = {"node": "n1", "hour_ts": 900_000 * 3_600_000, "counter": 1, "uptime_s": 3_600,
               "load_factor_bps": 1, "gpu_hours_milli": 1, "kwh_milli": 1,
               "signature": "00" * 64}  # fmt: skip
    readings = {"readings": [reading, {**reading, "uptime_s": 3_601}]}
    owner = await world.services.accounts.get("operator")
    receipt_id = receipt_id_of("key", owner.account_idx, "one")
    offer = {"action": "offer", "price": "10"}
    house = await world.accounts.create(account_id="insurance", name="Insurance", kind="house")
    await world.accounts.wait_open(house.account_idx)
    await world.services.transfers.request(
        account_idx=house.account_idx, amount_usd_micros=10**9, client_key="in"
    )
    owed = redeemed(claimed_usd_micros=10**6, nodes=("n9",))
    world.services.delivering.receipts.keep(owed)
    return [
        ("admit_issuer", "POST", f"{admin}/issuers", issuer),
        ("list_issuers", "GET", "/delivery/issuers", None),
        ("issue_receipt", "POST", path, receipt),
        ("act_on_receipt", "POST", f"{path}/{receipt_id}/actions", offer),
        ("list_receipts", "GET", f"{path}?limit=1", None),
        ("get_receipt", "GET", f"{path}/{receipt_id}", None),
        ("get_own_cover", "GET", "/delivery/cover", None),
        ("list_receipt_offers", "GET", "/delivery/offers", None),
        ("submit_telemetry", "POST", "/delivery/telemetry", readings),
        ("prove_receipt", "GET", f"/proofs/receipts/{receipt_id}", None),
        ("list_receipt_roots", "GET", "/proofs/roots", None),
        ("curtail_hub", "POST", f"{admin}/curtailments",
         {"hub": "USE", "reference": "PJM-1", **hours}),
        ("list_telemetry_quarantine", "GET", f"{admin}/quarantine", None),
        ("list_delivery_claims", "GET", f"{admin}/claims?limit=1", None),
        ("pay_delivery_claim", "POST", f"{admin}/claims/{owed.receipt_id}/pay", {"reason": "due"}),
        ("end_issuer", "POST", f"{admin}/issuers/operator/end", {"reason": "left"}),
    ]  # fmt: skip


async def efd_calls(world: World) -> list[tuple[str, str, str, Any]]:
    """Return one good call of every operation on the exchange for delivery."""
    now_ns, rows = world.now_ns(), world.services.delivering.exchanges
    open_now = Session(
        session_id=f"{SYMBOL}_20270225T1630", symbol=SYMBOL, contract_idx=0,
        opens_ns=now_ns - 1, call_ns=now_ns + 10**15, said_by="calendar",
    )  # fmt: skip
    await rows.add(open_now)
    rows.body = body_of(
        result_fields(open_now, [], {}, Called(NOTHING, []), settle_ticks=2_000, hours=744, seq=1)
    )
    later = await world.list_month_ahead()
    call = parse_symbol(later).last_trade_ns // 10**6 - 60_000
    session = {"symbol": later, "opens_ts": call - 60_000, "call_ts": call}
    entry = {"side": "buy", "quantity": "16", "differential": "-0.05"}
    path = f"/efd/sessions/{open_now.session_id}"
    return [
        ("add_efd_session", "POST", "/admin/efd/sessions", session),
        ("list_efd_sessions", "GET", "/efd/sessions?limit=1", None),
        ("enter_efd", "POST", f"{path}/entries", entry),
        ("list_efd_entries", "GET", "/efd/entries", None),
        ("get_efd_result", "GET", f"{path}/result", None),
    ]


async def scenario_calls(world: World) -> list[tuple[str, str, str, Any]]:
    """Return one good call of every operation on margin scenarios; one set is live already."""
    set_id = await world.services.scenarios.publish(built().document(), built())
    await make_live(world)
    public, admin = "/margin/scenarios", "/admin/margin/scenarios"
    return [
        ("build_scenarios", "POST", admin, {}),
        ("dry_run_scenarios", "GET", f"{admin}/{set_id}/dry-run", None),
        ("swap_scenarios", "POST", f"{admin}/{set_id}/swap", None),
        ("list_scenarios", "GET", public, None),
        ("get_scenarios", "GET", f"{public}/{set_id}", None),
        ("get_matrix", "GET", f"{public}/{set_id}/matrix", None),
        ("get_matrix", "GET", f"{public}/live/matrix", None),
    ]


CURVE_CALLS: list[tuple[str, str, str, Any]] = [
    ("list_curves", "GET", "/curves", None),
    ("get_curve", "GET", "/curves/H100-USE", None),
]


CORRECTION = {"date": "2200-01-01", "reason": "typed wrongly",
              "changes": [{"symbol": SYMBOL, "price": "2.004"}]}  # fmt: skip
SETTLEMENT_CALLS: list[tuple[str, str, str, Any]] = [
    ("list_final_settlements", "GET", "/settlements/final", None),
    ("list_settlement_roots", "GET", "/proofs/settlements", None),
    ("prove_settlement", "GET", f"/proofs/settlements/{SYMBOL}", None),
    ("propose_correction", "POST", "/admin/settlements/corrections", CORRECTION),
    ("list_corrections", "GET", "/admin/settlements/corrections", None),
    ("decide_correction", "POST", "/admin/settlements/corrections/1", {"action": "withdraw"}),
]
SAID = {"sku": "H100", "hub": "USE", "gpus": 100, "source": "an audit"}
PORT_TO_OPERATOR = {"account_id": "bob", "to": "operator", "reason": "it fails", "port_id": "p1"}
MEMBER_CALLS: list[tuple[str, str, str, Any]] = [  # the operator is a member, clearer another one
    ("set_membership", "PUT", "/admin/accounts/bob/member", {"member": "clearer"}),
    ("get_membership", "GET", "/admin/accounts/bob/member", None),
    ("get_own_membership", "GET", "/membership", None),
    ("propose_port", "POST", "/admin/ports", PORT_TO_OPERATOR),
    ("list_all_ports", "GET", "/admin/ports", None),
    ("get_any_port", "GET", "/admin/ports/1", None),
    ("list_ports", "GET", "/member/ports", None),
    ("get_port", "GET", "/member/ports/1", None),
    ("decline_port", "POST", "/member/ports/1/decline", None),
    ("propose_port", "POST", "/admin/ports", {**PORT_TO_OPERATOR, "port_id": "p2"}),
    ("withdraw_port", "DELETE", "/admin/ports/2", None),
    ("propose_port", "POST", "/admin/ports", {**PORT_TO_OPERATOR, "port_id": "p3"}),
    ("accept_port", "POST", "/member/ports/3/accept", None),
    ("list_clients", "GET", "/member/clients", None),
    ("get_client", "GET", "/member/clients/bob", None),
    ("set_client_limits", "PUT", "/member/clients/bob/limits", {"position": "5"}),
    ("get_client_limits", "GET", "/member/clients/bob/limits", None),
    ("get_limits", "GET", "/admin/accounts/bob/limits", None),
    ("get_client_credit", "GET", "/member/clients/bob/credit", None),
    ("set_client_credit", "PUT", "/member/clients/bob/credit", {"initial_margin": "5"}),
    ("get_credit", "GET", "/admin/accounts/bob/credit", None),
    ("set_credit", "PUT", "/admin/accounts/bob/credit", {"turnover_gpu_hours": 5}),
    ("get_owner", "GET", "/admin/accounts/bob/owner", None),
    ("set_owner", "PUT", "/admin/accounts/bob/owner", {"owner": "alice"}),
    ("set_capacity", "PUT", "/admin/capacity", {**SAID, "account_id": "alice"}),
    ("list_capacity", "GET", "/capacity", None),
    ("get_position_limits", "GET", "/position-limits", None),
    ("list_position_limits", "GET", "/admin/position-limits", None),
    ("list_notices", "GET", "/notices", None),
    ("list_all_notices", "GET", "/admin/notices", None),
    ("kill_client", "POST", "/member/clients/bob/kill", None),
]

HOOK = "/webhooks/wh_aaaaaaaaaaaaaaaa"  # of the operator
HOOK_CALLS: list[tuple[str, str, str, Any]] = [
    ("create_webhook", "POST", "/webhooks", {"url": "https://x.example.com/", "events": ["fill"]}),
    ("list_webhooks", "GET", "/webhooks", None),
    ("get_webhook", "GET", HOOK, None),
    ("list_deliveries", "GET", f"{HOOK}/deliveries", None),
    ("rotate_webhook", "POST", f"{HOOK}/rotate", None),
    ("resume_webhook", "POST", f"{HOOK}/resume", None),
    ("ping_webhook", "POST", "/webhooks/wh_bbbbbbbbbbbbbbbb/ping", None),
    ("remove_webhook", "DELETE", HOOK, None),
]

INDEX_CALLS: list[tuple[str, str, str, Any]] = [
    ("list_indices", "GET", "/indices", None),
    ("list_prints", "GET", "/indices/H100-USE/prints?since=2026-03-01&until=2026-03-03", None),
    ("list_chain", "GET", "/indices/chain?limit=3", None),
    ("explain_print", "GET", "/indices/H100-USE/explain", None),
    ("list_errata", "GET", "/indices/errata", None),
    ("say_print", "POST", "/admin/indices/H100-USE/committee",
     {"day": "2026-03-04", "price": "2.5", "reason": "two brokers said so"}),
]  # fmt: skip


async def a_spread(world: World) -> str:
    """List a spread of both contracts; return its symbol as a path has it."""
    symbol, idx = f"{SYMBOL}/2027M04", len(world.mirror.contracts)
    row = command(
        Kind.LIST_COMBINATION, contract_idx=idx, symbol=symbol, qty_lots=100, order_id=500,
        state=TradingState.CONTINUOUS, **pack_legs([(0, 1), (1, -1)]),
    )  # fmt: skip
    await world.command(row)
    return quote(symbol, safe="")


async def calls(world: World) -> list[tuple[str, str, str, Any]]:
    """Return one good call of every operation, as (name, method, path, body), in a good order."""
    placed = await world.place("operator", "sell", "2.000", "9", client_order_id="rest")
    await world.place("alice", "buy", "2.000", "2")
    order_id = placed["order"]["order_id"]
    with_a_default(world)
    rows = world.services.accounts.rows
    rows[:] = [replace(one, kind="member") if one.account_id == "operator" else one for one in rows]
    made = (await world.call("operator", "POST", "/admin/accounts/bob/keys", {})).json()["key"]
    account = "/admin/accounts/shape"
    rule = {"min_quantity": "1", "range_bps": 1000}
    await world.call("operator", "PUT", f"/admin/contracts/{SYMBOL}/blocks", rule)
    ends = world.now_ns() // 1_000_000 + 60_000
    block = {**BUY, "counterparty": "operator", "expires_at": ends}
    offered = [
        (await world.call("alice", "POST", "/blocks", block)).json()["block"]["block_id"]
        for _ in range(2)
    ]
    rfq = {"symbol": SYMBOL, "quantity": "5", "expires_at": ends}
    asked = (await world.call("operator", "POST", "/rfqs", rfq)).json()["rfq"]["rfq_id"]
    return [
        *await collateral_calls(world),
        *await scenario_calls(world),
        *observation_calls(),
        *await delivery_calls(world),
        *await efd_calls(world),
        *INDEX_CALLS,
        *HOOK_CALLS,
        *CURVE_CALLS,
        ("set_blocks", "PUT", f"/admin/contracts/{SYMBOL}/blocks", rule),
        ("propose_block", "POST", "/blocks", {**block, "counterparty": "alice"}),
        ("list_blocks", "GET", "/blocks?status=all", None),
        ("accept_block", "POST", f"/blocks/{offered[0]}/accept", None),
        ("end_block", "DELETE", f"/blocks/{offered[1]}", None),
        ("request_quotes", "POST", "/rfqs", rfq),
        ("list_rfqs", "GET", "/rfqs", None),
        ("withdraw_rfq", "DELETE", f"/rfqs/{asked}", None),
        ("get_time", "GET", "/time", None),
        ("get_status", "GET", "/status", None),
        ("list_instruments", "GET", "/instruments", None),
        ("get_instrument", "GET", f"/instruments/{SYMBOL}", None),
        ("list_tickers", "GET", "/tickers", None),
        ("get_orderbook", "GET", f"/orderbook/{SYMBOL}", None),
        ("list_trades", "GET", f"/trades/{SYMBOL}", None),
        ("list_klines", "GET", f"/klines/{SYMBOL}", None),
        ("get_calendar", "GET", "/calendar?tenor=month", None),
        ("list_settlements", "GET", "/settlements", None),
        ("get_final_settlement", "GET", f"/settlements/final/{SYMBOL}", None),
        ("get_settlement_run", "GET", f"/settlements/runs/{'ab' * 32}", None),
        ("place_order", "POST", "/orders", BUY),
        ("list_orders", "GET", "/orders", None),
        ("list_orders", "GET", "/orders?status=all", None),
        ("batch", "POST", "/orders/batch", {"requests": [
            {"op": "new", **BUY}, {"op": "cancel", "order_id": "7"},
            {"op": "amend", "client_order_id": "rest", "quantity": "8"}]}),
        ("get_order", "GET", f"/orders/{order_id}", None),
        ("get_by_client_id", "GET", "/orders/by-client-id/rest", None),
        ("amend_order", "PATCH", f"/orders/{order_id}", {"quantity": "7"}),
        ("amend_by_client_id", "PATCH", "/orders/by-client-id/rest", {"quantity": "6"}),
        ("list_positions", "GET", "/positions", None),
        ("list_balances", "GET", "/balances", None),
        ("get_margin", "GET", "/margin", None),
        ("post_what_if", "POST", "/margin/what-if", {"orders": [
            {"symbol": SYMBOL, "side": "buy", "price": "2.000", "quantity": "1"}]}),
        ("set_addons", "PUT", f"/admin/contracts/{SYMBOL}/addons", {"half_spread": "0.005",
         "daily_move_bps": 400, "daily_volume": "400", "open_interest": "0"}),
        ("release_addons", "DELETE", f"/admin/contracts/{SYMBOL}/addons", None),
        ("offer_giveup", "POST", "/giveups", {"trade_id": "7-0", "to": "alice"}),
        ("list_giveups", "GET", "/giveups", None),
        ("get_giveup", "GET", "/giveups/3", None),
        ("withdraw_giveup", "DELETE", "/giveups/3", None),
        ("accept_giveup", "POST", "/giveups/9001/accept", None),
        ("decline_giveup", "POST", "/giveups/9002/decline", None),
        ("list_fees", "GET", "/fees", None),
        ("get_own_fees", "GET", "/fees/own", None),
        ("list_fills", "GET", "/fills", None),
        ("list_ledger", "GET", "/ledger", None),
        ("get_own_key", "GET", "/keys", None),
        ("cancel_order", "DELETE", f"/orders/{order_id}", None),
        ("place_order", "POST", "/orders", {**BUY, "client_order_id": "again"}),
        ("cancel_by_client_id", "DELETE", "/orders/by-client-id/again", None),
        ("cancel_all", "DELETE", "/orders", None),
        ("create_account", "POST", "/admin/accounts", {"name": "Shape", "account_id": "shape"}),
        ("list_accounts", "GET", "/admin/accounts", None),
        ("get_account", "GET", account, None),
        ("change_account", "PATCH", account, {"state": "frozen"}),
        ("change_account", "PATCH", account, {"state": "active"}),
        ("deposit", "POST", f"{account}/deposits", {"amount": "12.50", "transfer_id": "d1"}),
        ("withdraw", "POST", f"{account}/withdrawals", {"amount": "2.50"}),
        ("create_key", "POST", f"{account}/keys", {"scopes": ["read", "trade"]}),
        ("list_keys", "GET", f"{account}/keys", None),
        ("revoke_key", "DELETE", f"/admin/keys/{made['key']}", None),
        ("change_contract", "PATCH", f"/admin/contracts/{SYMBOL}", {"band_bps": 500}),
        ("begin_auction", "POST", f"/admin/contracts/{SYMBOL}/auction", {"phase": "closing"}),
        ("end_auction", "DELETE", f"/admin/contracts/{SYMBOL}/auction", None),
        ("set_guards", "PUT", f"/admin/contracts/{SYMBOL}/guards", {"daily_bps": 2000,
         "auction_ms": 120_000}),
        ("list_proofs", "GET", "/liquidations/9/proofs", None),
        ("list_own_liquidations", "GET", "/liquidations", None),
        ("list_own_calls", "GET", "/margin-calls", None),
        ("acknowledge_call", "POST", "/margin-calls/1/acknowledge", None),
        ("list_liquidations", "GET", "/admin/risk/liquidations?account_id=alice", None),
        ("get_liquidation", "GET", "/admin/risk/liquidations/9", None),
        ("list_calls", "GET", "/admin/risk/calls", None),
        ("list_alerts", "GET", "/admin/surveillance/alerts", None),
        ("get_alert", "GET", "/admin/surveillance/alerts/1", None),
        ("note_alert", "POST", "/admin/surveillance/alerts/1/notes",
         {"status": "dismissed", "note": "known"}),
        ("post_hedge", "POST", "/hedge", {"plan": [
            {"sku": "MI300X", "hub": "USE", "gpus": "1", "from": day_ahead(1), "to": day_ahead(40)}
        ]}),
        ("get_drill", "GET", "/admin/risk/drill?account_id=alice&multiple=2", None),
        ("get_statement", "GET", "/statements", None),
        ("get_fund", "GET", "/fund", None),
        ("list_losses", "GET", "/liquidations/9/losses", None),
        ("pay_in", "POST", "/fund/deposits", {"amount": "2"}),
        ("get_share", "GET", "/fund/share", None),
        ("list_own_losses", "GET", "/losses", None),
        ("get_whole_fund", "GET", "/admin/risk/fund", None),
        ("create_account", "POST", "/admin/accounts", {"name": "Clearer", "account_id": "clearer",
         "kind": "member"}),
        ("deposit", "POST", "/admin/accounts/clearer/deposits", {"amount": "5"}),
        ("collect", "POST", "/admin/risk/fund/deposits", {"account_id": "clearer", "amount": "2"}),
        ("give_back", "POST", "/admin/risk/fund/returns", {"account_id": "clearer",
         "amount": "1"}),
        ("list_risk", "GET", "/admin/risk/accounts?limit=5", None),
        ("get_risk", "GET", "/admin/risk/accounts/alice", None),
        ("list_risk_postings", "GET", "/admin/risk/accounts/alice/postings", None),
        ("get_ledger_transfer", "GET", "/admin/ledger/transfers/1", None),
        ("list_stress", "GET", "/admin/risk/stress", None),
        ("get_stress", "GET", "/admin/risk/stress/aws-cut?whole=false", None),
        ("list_account_stress", "GET", "/admin/risk/accounts/alice/stress", None),
        ("list_stress_results", "GET", "/stress", None),
        ("set_index", "PUT", f"/admin/contracts/{SYMBOL}/index", {"price": "2.000"}),
        ("set_implied", "PUT", f"/admin/contracts/{await a_spread(world)}/implied",
         {"implied": False}),
        ("set_last_trade", "PUT", f"/admin/contracts/{OTHER}/last-trade", {"last_trade": 0}),
        ("change_contract", "PATCH", f"/admin/contracts/{OTHER}", {"state": "expired"}),
        ("close_out", "POST", f"/admin/contracts/{OTHER}/close-out", None),
        ("quote_mass", "POST", "/quotes", {"quotes": [
            {"symbol": SYMBOL, "bid_price": "1.990", "bid_quantity": "1"},
            {"symbol": "NO-SUCH-2027", "bid_price": "1.990", "bid_quantity": "1"}]}),
        ("cancel_all_after", "POST", "/orders/cancel_all_after", {"timeout_ms": 60_000}),
        ("set_mmp", "PUT", "/quotes/groups/1", {"window_ms": 100, "quantity": "5"}),
        ("reset_mmp", "POST", "/quotes/groups/1/reset", None),
        ("get_protections", "GET", "/protections", None),
        ("set_level", "PUT", f"{account}/level", {"level_bps": 10_000}),
        ("set_profile", "PUT", f"{account}/profile", {"profile": "none"}),
        ("set_cover", "PUT", f"{account}/cover", {"symbol": SYMBOL, "quantity": "0"}),
        ("set_limits", "PUT", f"{account}/limits", {"order_quantity": "5"}),
        *MEMBER_CALLS,
        *SETTLEMENT_CALLS,
        *await auction_calls(world),
        ("kill", "POST", "/admin/kill", {"account_id": "shape"}),
        ("kill", "POST", "/admin/kill", {"exchange": True}),
        ("resume", "POST", "/admin/resume", None),
        ("halt", "POST", "/admin/halt", None),
        ("resume", "POST", "/admin/resume", None),
    ]  # fmt: skip


async def auction_calls(world: World) -> list[Any]:
    """Return the calls about auctions of defaults: one is open, another has closed."""
    operator = next(one for one in world.accounts.rows if one.account_id == "operator")
    rows, idx = world.auctions, operator.account_idx
    for number in (77, 78):
        await rows.open(terms(number, idx))
    await rows.begin_close(78, 1)
    await rows.decide(result(78, idx), (), frozenset(), 2)
    rows.moved_lots = [MoveOfAward(12, idx, "H100-USE-2027M01", 10, 1_995)]
    bid = {"lot": 1, "premium": "0.010", "share": "0.5"}
    bidder = {"account_id": "alice", "admitted": True}
    return [
        ("bid_in_default_auction", "POST", "/default-auctions/77/bids", bid),
        ("list_default_auctions", "GET", "/default-auctions", None),
        ("get_default_auction", "GET", "/default-auctions/77", None),
        ("get_auction_record", "GET", "/liquidations/78/auction", None),
        ("list_all_default_auctions", "GET", "/admin/risk/auctions", None),
        ("list_bidders", "GET", "/admin/risk/bidders", None),
        ("admit_bidder", "PUT", "/admin/risk/bidders", bidder),
    ]


async def test_every_answer_has_the_shape_it_says(world: World):
    statuses = {one.name: one.status for one in operations(world.app)}
    seen = {"live", "ready"}
    for name in seen:
        answer = (await world.http.get(f"/health/{name}")).json()
        msgspec.convert(answer, ANSWERS[name])
    for name, method, path, body in await calls(world):
        response = await world.call("operator", method, path, body)
        assert response.status_code == statuses[name], (name, response.text)
        msgspec.convert(response.json(), ANSWERS[name])
        seen.add(name)
    assert seen == set(ANSWERS) == set(statuses)


async def test_no_answer_holds_a_decimal_as_a_number(world: World):
    for name, method, path, body in await calls(world):
        response = await world.call("operator", method, path, body)
        assert not re.search(r":\s*-?\d+\.\d", response.text), (name, response.text)


async def test_a_problem_has_its_shape(world: World):
    problem = (await world.call("alice", "POST", "/orders", {**BUY, "side": "up"})).json()
    known = msgspec.convert(problem, shapes.Problem)
    assert (known.code, known.field, known.status) == ("field_invalid", "side", 422)


async def test_the_document_is_openapi_and_names_every_code(world: World):
    found = (await world.http.get("/openapi.json")).json()
    assert found["openapi"] == "3.1.0"
    assert found == document(world.app, found["info"]["version"])
    assert found["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == codes()
    text = str(found)
    for name in re.findall(r"#/components/schemas/(\w+)", text):
        assert name in found["components"]["schemas"]
    order = found["paths"]["/api/v1/orders"]["post"]
    assert order["x-scope"] == "trade"
    assert order["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "OrderNew"
    )


@pytest.mark.parametrize("path", ["/", "/api/v1", "/api/v1/"])
async def test_whoever_looks_around_is_led_to_the_page(world: World, path: str):
    response = await world.http.get(path)
    assert (response.status_code, response.headers["location"]) == (307, "/docs")
    assert (await world.http.post(path)).status_code == 405
    assert path not in document(world.app, "1")["paths"]


async def test_the_page_says_where_else_to_read_without_scripts(world: World):
    text = (await world.http.get("/docs")).text
    said = text.partition("<noscript>")[2].partition("</noscript>")[0]
    assert 'href="/openapi.json"' in said


async def test_the_page_loads_nothing_from_elsewhere(world: World):
    for path in ("/docs", "/docs/docs.js", "/docs/docs.css"):
        response = await world.http.get(path)
        assert response.status_code == 200
        assert "http://" not in response.text
        assert "https://" not in response.text
        assert "'self'" in response.headers["content-security-policy"]
    assert (await world.http.get("/docs/other.js")).json()["code"] == "not_found"
