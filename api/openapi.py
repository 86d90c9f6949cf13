"""OpenAPI 3.1 of the app, made from its routes and from the shapes of bodies and answers."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from api import (
    shapes,
    shapes_account,
    shapes_auctions,
    shapes_book,
    shapes_calendar,
    shapes_collateral,
    shapes_curves,
    shapes_deals,
    shapes_defaults,
    shapes_delivery,
    shapes_desk,
    shapes_efd,
    shapes_fees,
    shapes_fund,
    shapes_giveups,
    shapes_hedge,
    shapes_indices,
    shapes_margin,
    shapes_members,
    shapes_observations,
    shapes_protect,
    shapes_restraints,
    shapes_scenarios,
    shapes_settlements,
    shapes_surveillance,
    shapes_webhooks,
)
from api.deps import Asker, JsonBody, QueryOf
from api.errors import CORE, MEDIA_TYPE, OWN
from exchange.io.registry import Scope

Json = dict[str, Any]
REF: Final = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")  # `:path` says how the app reads it, not its name

# What each endpoint answers, by its name.
ANSWERS: Final[dict[str, type[shapes.Answer]]] = {
    "live": shapes.LiveAnswer,
    "ready": shapes.ReadyAnswer,
    "get_time": shapes.Answer,
    "get_status": shapes.StatusAnswer,
    "list_instruments": shapes.InstrumentsAnswer,
    "get_instrument": shapes.InstrumentAnswer,
    "list_tickers": shapes.TickersAnswer,
    "get_orderbook": shapes_book.BookAnswer,
    "list_trades": shapes.TradesAnswer,
    "list_klines": shapes.KlinesAnswer,
    "get_calendar": shapes_calendar.CalendarAnswer,
    **shapes_settlements.ANSWERS,
    "place_order": shapes.PlacedAnswer,
    "list_orders": shapes.OrdersAnswer,
    "cancel_all": shapes.CancelledAllAnswer,
    "batch": shapes_protect.BatchAnswer,
    "get_order": shapes.OrderAnswer,
    "amend_order": shapes.AmendedAnswer,
    "cancel_order": shapes.OrderAnswer,
    "get_by_client_id": shapes.OrderAnswer,
    "amend_by_client_id": shapes.AmendedAnswer,
    "cancel_by_client_id": shapes.OrderAnswer,
    "list_positions": shapes_account.PositionsAnswer,
    "list_balances": shapes_account.BalancesAnswer,
    "get_margin": shapes_margin.MarginAnswer,
    "post_what_if": shapes_margin.WhatIfAnswer,
    "set_addons": shapes_margin.AddonAnswer,
    "release_addons": shapes_margin.AddonAnswer,
    "set_level": shapes_margin.LevelAnswer,
    **shapes_giveups.ANSWERS,
    **shapes_members.ANSWERS,
    **shapes_restraints.ANSWERS,
    **shapes_webhooks.ANSWERS,
    **shapes_auctions.ANSWERS,
    "set_profile": shapes_margin.ProfileAnswer,
    "set_cover": shapes_margin.CoverAnswer,
    "list_fees": shapes_fees.FeesAnswer,
    "get_own_fees": shapes_fees.OwnFeesAnswer,
    "list_fills": shapes_account.FillsAnswer,
    "list_ledger": shapes_account.LedgerAnswer,
    "get_own_key": shapes_account.KeysAnswer,
    "create_account": shapes_account.AccountAnswer,
    "list_accounts": shapes_account.AccountsAnswer,
    "get_account": shapes_account.AccountAnswer,
    "change_account": shapes_account.AccountAnswer,
    "deposit": shapes_account.TransferAnswer,
    "withdraw": shapes_account.TransferAnswer,
    "create_key": shapes_account.KeyAnswer,
    "list_keys": shapes_account.KeysAnswer,
    "revoke_key": shapes_account.KeyAnswer,
    "change_contract": shapes.InstrumentAnswer,
    "propose_block": shapes_deals.BlockAnswer,
    "list_blocks": shapes_deals.BlocksAnswer,
    "accept_block": shapes_deals.BlockAnswer,
    "end_block": shapes_deals.BlockAnswer,
    "request_quotes": shapes_deals.RfqAnswer,
    "list_rfqs": shapes_deals.RfqsAnswer,
    "withdraw_rfq": shapes_deals.RfqAnswer,
    "set_blocks": shapes.InstrumentAnswer,
    **shapes.OF_CONTRACTS,
    "quote_mass": shapes_protect.QuotesAnswer,
    "cancel_all_after": shapes_protect.TimerAnswer,
    "get_protections": shapes_protect.ProtectionsAnswer,
    "set_mmp": shapes_protect.GroupAnswer,
    "reset_mmp": shapes_protect.GroupAnswer,
    "kill": shapes_protect.KillAnswer,
    "halt": shapes_protect.HaltAnswer,
    "resume": shapes_protect.HaltAnswer,
    "set_limits": shapes_protect.LimitsAnswer,
    "get_limits": shapes_protect.LimitsAnswer,
    "get_collateral": shapes_collateral.CollateralAnswer,
    "list_withdrawals": shapes_collateral.WithdrawalsAnswer,
    "request_withdrawal": shapes_collateral.WithdrawalAnswer,
    "list_addresses": shapes_collateral.AddressesAnswer,
    "add_address": shapes_collateral.AddressesAnswer,
    "remove_address": shapes_collateral.AddressesAnswer,
    "transfer_between": shapes_collateral.BetweenAnswer,
    "deposit_asset": shapes_collateral.AssetMovedAnswer,
    "list_open_withdrawals": shapes_collateral.WithdrawalsAnswer,
    "decide_withdrawal": shapes_collateral.WithdrawalAnswer,
    "price_asset": shapes_collateral.AssetPriceAnswer,
    "list_scenarios": shapes_scenarios.ScenarioSetsAnswer,
    "get_scenarios": shapes_scenarios.ScenarioSetAnswer,
    "get_matrix": shapes_scenarios.MatrixAnswer,
    "build_scenarios": shapes_scenarios.ScenariosBuiltAnswer,
    "dry_run_scenarios": shapes_scenarios.DryRunAnswer,
    "swap_scenarios": shapes_scenarios.ScenariosSwapAnswer,
    "list_proofs": shapes_defaults.ProofsAnswer,
    "list_own_liquidations": shapes_defaults.LiquidationsAnswer,
    "list_own_calls": shapes_defaults.CallsAnswer,
    "acknowledge_call": shapes_defaults.CallsAnswer,
    "list_liquidations": shapes_defaults.LiquidationsAnswer,
    "get_liquidation": shapes_defaults.LiquidationAnswer,
    "list_calls": shapes_defaults.CallsAnswer,
    "post_hedge": shapes_hedge.HedgeAnswer,
    "list_alerts": shapes_surveillance.AlertsAnswer,
    "get_alert": shapes_surveillance.AlertAnswer,
    "note_alert": shapes_surveillance.AlertAnswer,
    "get_drill": shapes_defaults.DrillAnswer,
    "get_fund": shapes_fund.FundAnswer,
    "list_losses": shapes_fund.LossesAnswer,
    "get_share": shapes_fund.ShareAnswer,
    "list_own_losses": shapes_fund.OwnLossesAnswer,
    "pay_in": shapes_account.TransferAnswer,
    "get_whole_fund": shapes_fund.WholeFundAnswer,
    "collect": shapes_account.TransferAnswer,
    "give_back": shapes_account.TransferAnswer,
    "get_statement": shapes_desk.StatementAnswer,
    "list_risk": shapes_desk.RiskAnswer,
    "get_risk": shapes_desk.RiskAccountAnswer,
    "list_risk_postings": shapes_desk.PostingsAnswer,
    "get_ledger_transfer": shapes_desk.LedgerTransferAnswer,
    "list_stress": shapes_desk.StressAnswer,
    "get_stress": shapes_desk.StoryAnswer,
    "list_account_stress": shapes_desk.AccountStressAnswer,
    "list_stress_results": shapes_desk.StressNightAnswer,
    **shapes_delivery.ANSWERS,
    **shapes_efd.ANSWERS,
    "list_observations": shapes_observations.ObservationsAnswer,
    "submit_observations": shapes_observations.SubmissionAnswer,
    "list_quarantine": shapes_observations.QuarantineAnswer,
    "list_provider_keys": shapes_observations.ProviderKeysAnswer,
    "add_provider_key": shapes_observations.ProviderKeyAnswer,
    "end_provider_key": shapes_observations.ProviderKeyAnswer,
    "list_indices": shapes_indices.IndicesAnswer,
    "list_curves": shapes_curves.CurvesAnswer,
    "get_curve": shapes_curves.CurveAnswer,
    "list_prints": shapes_indices.IndexPrintsAnswer,
    "list_chain": shapes_indices.IndexChainAnswer,
    "explain_print": shapes_indices.IndexExplainedAnswer,
    "list_errata": shapes_indices.IndexErrataAnswer,
    "say_print": shapes_indices.IndexSaidAnswer,
}

INTRODUCTION: Final = """One contract for REST and websocket. Prices, quantities and money are
decimal strings; ids are strings; `seq` is the number of the command an answer is true at.
Private requests are signed: `WH-SIGN` is the hex HMAC-SHA256 of timestamp + key + recv_window +
METHOD + path?query + body. A signature is accepted once."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    name: str
    summary: str
    text: str
    tag: str
    status: int
    body: Any  # a shape, or None
    query: Any
    scope: Scope | None  # None: anyone may ask


def operations(app: FastAPI) -> Iterator[Operation]:
    """Yield every HTTP operation of an app."""
    for route in iter_route_contexts(app.routes):
        endpoint = route.endpoint
        if endpoint is None or not route.methods or not getattr(route, "include_in_schema", False):
            continue
        calls = [dependency.call for dependency in route.dependant.dependencies]
        for method in sorted(route.methods):
            yield Operation(
                method=method,
                path=str(route.path),
                name=endpoint.__name__,
                summary=route.summary or "",
                text=inspect.getdoc(endpoint) or "",
                tag=str(route.tags[0]),
                status=route.status_code or 200,
                body=_of(calls, JsonBody, lambda call: call.shape),
                query=_of(calls, QueryOf, lambda call: call.shape),
                scope=_of(calls, Asker, lambda call: call.scope),
            )


def _of(calls: list[Any], kind: type, read: Callable[[Any], Any]) -> Any:
    return next((read(call) for call in calls if isinstance(call, kind)), None)


def document(app: FastAPI, version: str) -> Json:
    """Return the OpenAPI document."""
    found = list(operations(app))
    bodies = [operation.body for operation in found if operation.body is not None]
    all_shapes = [*bodies, *ANSWERS.values(), shapes.Problem]
    _, components = msgspec.json.schema_components(all_shapes, ref_template=REF)
    paths: Json = {}
    for operation in found:
        path = _PARAMETER.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    components["Problem"]["properties"]["code"]["enum"] = codes()
    return {
        "openapi": "3.1.0",
        "info": {"title": app.title, "version": version, "description": INTRODUCTION},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _security()},
    }


def codes() -> list[str]:
    """Return every code a problem can have."""
    return sorted({*OWN, *(name for status, name in CORE.values() if status >= 400)})


def _operation(operation: Operation) -> Json:
    answer = ANSWERS[operation.name].__name__
    found: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.text,
        "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": {
            str(operation.status): _content("Done", answer, "application/json"),
            "4XX": _content("Refused", "Problem", MEDIA_TYPE),
            "503": _content("Not now: see Retry-After", "Problem", MEDIA_TYPE),
        },
    }
    if operation.name in ("place_order", "propose_block", "request_quotes"):
        found["responses"]["200"] = _content("A repetition", answer, "application/json")
    if operation.body is not None:
        schema = {"$ref": REF.format(name=operation.body.__name__)}
        content = {"application/json": {"schema": schema}}
        found["requestBody"] = {"required": True, "content": content}
    if operation.scope is not None:
        found["security"] = [{name: [] for name in _security()}]
        found["x-scope"] = operation.scope.value
    return found


def _content(text: str, name: str, media: str) -> Json:
    schema = {"$ref": REF.format(name=name)}
    return {"description": text, "content": {media: {"schema": schema}}}


def _parameters(operation: Operation) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(operation.path)
    ]
    if operation.query is not None:
        found += [
            {"name": field.name, "in": "query", "schema": {"type": "string"}}
            for field in msgspec.structs.fields(operation.query)
        ]
    return found


def _security() -> Json:
    return {
        name: {"type": "apiKey", "in": "header", "name": name}
        for name in ("WH-KEY", "WH-TIMESTAMP", "WH-RECV-WINDOW", "WH-SIGN")
    }
