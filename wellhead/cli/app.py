"""All commands by name, and what becomes of an error: a message and an exit code.

Modules of commands are loaded when a command of theirs is used.
"""

import os
import re
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Group, Parameter

from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit, why
from wellhead.credentials import CredentialsError
from wellhead.errors import (
    ApiError,
    AuthFailed,
    ConnectionFailed,
    ProtocolError,
    RateLimited,
    Unavailable,
    WellheadError,
)

RUN = Group("Run an exchange", sort_key=1)
LOOK = Group("Look at the market", sort_key=2)
TRADE = Group("Trade", sort_key=3)
MEASURE = Group("Measure and check", sort_key=4)

COMMANDS = (
    ("serve", "serving:serve", RUN, "Start the exchange."),
    ("demo", "serving:demo", RUN, "Start it with a simulated market and two funded keys."),
    ("accounts", "restraining:accounts", RUN, "Open accounts, move money in and out."),
    ("keys", "operator:keys", RUN, "Make, list and revoke API keys."),
    (
        "auctions",
        "auctions:auctions",
        RUN,
        "Call auctions, halts, guards, a contract's end.",
    ),
    ("limits", "safety:limits", RUN, "Set an account's own limits."),
    ("kill", "safety:kill", RUN, "Stop an account, a key, a member or the exchange."),
    ("scenarios", "scenarios:scenarios", RUN, "Margin scenarios: publish, verify, swap, backtest."),
    ("halt", "safety:halt", RUN, "Halt the whole exchange; cancels are allowed."),
    ("resume", "safety:resume", RUN, "Let a halted exchange go on."),
    ("status", "market:status", LOOK, "What the exchange takes now."),
    ("contracts", "market:contracts", LOOK, "The catalogue, with reference prices."),
    ("book", "market:book", LOOK, "An order book; --watch follows it."),
    ("auction", "auctions:auction", LOOK, "A contract's call auction; --watch follows it."),
    ("curve", "curves:curve", LOOK, "A forward curve by month and strip; --watch follows it."),
    ("calendar", "calendars:calendar", LOOK, "When what happens to contracts."),
    ("index", "indices:index", LOOK, "The index: prints, explanations, errata, rebuild."),
    ("trades", "market:trades", LOOK, "The newest trades of a contract."),
    ("settlements", "settlements:settlements", LOOK, "Settlement prices, and why they are so."),
    ("order", "trading:order", TRADE, "Buy or sell."),
    ("amend", "trading:amend", TRADE, "Change an open order."),
    ("cancel", "trading:cancel", TRADE, "Cancel an order, or all."),
    ("orders", "trading:orders", TRADE, "Own orders."),
    ("quote", "safety:quote", TRADE, "Quote both sides of a contract."),
    ("protect", "safety:protect", TRADE, "Timer and quote groups, and own limits."),
    ("block", "deals:block", TRADE, "Agree on a trade with one other account."),
    ("rfq", "deals:rfq", TRADE, "Ask everybody for quotes."),
    ("positions", "account:positions", TRADE, "Lots held, and what they earned."),
    ("balances", "account:balances", TRADE, "Money held, required and free."),
    ("collateral", "collateral:collateral", TRADE, "Assets beside cash: what counts, in and out."),
    (
        "default-auction",
        "default_auctions:default_auction",
        TRADE,
        "Bid for what a liquidation could not close; for members.",
    ),
    ("fund", "funds:fund", TRADE, "The default fund: its size, own share, pay in."),
    ("margin", "margin:margin", TRADE, "What is required, why, and what would be."),
    ("hedge", "hedging:hedge", TRADE, "What hedges a plan of GPUs to sell or to buy."),
    (
        "receipts",
        "receipt_issuers:receipts",
        TRADE,
        "Receipts for GPU-hours: issue, trade, redeem.",
    ),
    ("telemetry", "telemetry:telemetry", TRADE, "What own nodes did: sign it, send it, check it."),
    ("efd", "exchanges:efd", TRADE, "Exchange a position for delivery, in one sealed call."),
    ("fills", "account:fills", TRADE, "Own trades."),
    ("giveup", "giveups:giveup", TRADE, "Give fills up to another account, and take them."),
    ("member", "restraining:member", TRADE, "What a clearing member does: its clients, and ports."),
    ("allocate", "giveups:allocate", TRADE, "Offer parts of one fill to several accounts."),
    ("webhooks", "webhooks:webhooks", TRADE, "Have what happens told to URLs."),
    ("holdings", "restraining:holdings", TRADE, "What an owner holds, and may; --all: operators."),
    (
        "notices",
        "restraining:notices",
        TRADE,
        "What the account was told: limits, calls.",
    ),
    ("capacity", "restraining:capacity", LOOK, "What can be delivered: what limits are a part of."),
    ("fees", "fees:fees", TRADE, "What trading costs; --own: what the account pays."),
    ("ledger", "ledgers:ledger", TRADE, "Own postings; trial balance, statements, signed heads."),
    ("risk", "desk:risk", MEASURE, "The risk desk: accounts by danger, stress, calls, drills."),
    (
        "observations",
        "providers:observations",
        MEASURE,
        "Prices the index is computed from: import, list, verify, export.",
    ),
    (
        "proof",
        "receipts:proof",
        MEASURE,
        "Recompute what the exchange did, from public data.",
    ),
    ("surveillance", "surveillance:surveillance", MEASURE, "What may be abuse, with evidence."),
    ("stress", "defaults:stress", MEASURE, "Play October 2025 again, and write the report."),
    ("settle", "settlements:settle", MEASURE, "Recompute settlement prices."),
    ("replay", "measuring:replay", MEASURE, "Run an order feed through the engine."),
    ("verify", "measuring:verify", MEASURE, "Replay the journal, compare every hash and balance."),
    (
        "bench",
        "measuring:bench",
        MEASURE,
        "Measure matching, worst cases, margin, journal, gateway, clearing, start.",
    ),
)

# What a person at a terminal does next, where the exchange speaks of its own addresses.
HINTS = {
    "GET /admin/risk/stress": "`wellhead risk stress`",
    "GET /efd/sessions": "`wellhead efd sessions`",
    "GET /curves": "`wellhead curve`",
    "/api/v1/instruments": "`wellhead contracts`",
    "/api/v1/margin": "`wellhead margin`",
}

NOBODY = "is it running? `wellhead serve` starts one; --url or WELLHEAD_URL says where another is"

# What the exchange says to who may not do a thing with any key of its own: a plain refusal.
PLAIN = frozenset(
    ("not_a_member", "issuer_unknown", "receipt_not_yours", "receipt_not_offered",
     "account_frozen", "account_reduce_only")
)  # fmt: skip

# The first kind that fits decides; anything else is a bug and shows its traceback.
EXITS: tuple[tuple[type[WellheadError], Exit], ...] = (
    (CredentialsError, Exit.KEY),
    (AuthFailed, Exit.KEY),
    (Unavailable, Exit.UNAVAILABLE),
    (RateLimited, Exit.UNAVAILABLE),
    (ConnectionFailed, Exit.UNAVAILABLE),
    (ProtocolError, Exit.UNAVAILABLE),
    (ApiError, Exit.REFUSED),
)


def version() -> str:
    """Return the version of the installed package."""
    from importlib.metadata import version as of

    return of("wellhead-exchange")


def build() -> App:
    """Return the command line, its commands not loaded yet."""
    app = App(
        name="wellhead",
        help="A futures exchange and clearing house for GPU-hours.",
        version=version,
        default_parameter=Parameter(negative=()),  # no --no-json and the like
    )
    for name, home, group, help_text in COMMANDS:
        app.command(f"wellhead.cli.{home}", name=name, group=group, help=help_text)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    as_json = "--json" in arguments
    try:
        build()(
            list(arguments), exit_on_error=False, print_error=False, result_action="return_none"
        )
    except CycloptsError as error:
        return out.failed(Exit.USAGE, "usage", str(error), as_json=as_json)
    except CliError as error:
        return out.failed(error.exit, error.code, str(error), as_json=as_json)
    except ApiError as error:
        members = {"status": error.status, "field": error.field, "request_id": error.request_id}
        detail = error.detail if as_json else in_commands(error.detail)
        return out.failed(exit_of(error), error.code, detail, as_json=as_json, members=members)
    except ConnectionFailed as error:
        detail = f"{error}; {NOBODY}"
        return out.failed(exit_of(error), code_of(error), detail, as_json=as_json)
    except WellheadError as error:
        return out.failed(exit_of(error), code_of(error), str(error), as_json=as_json)
    except BrokenPipeError:  # `wellhead ... | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except OSError as error:  # a full disk, a folder that may not be written
        at = f": {error.filename}" if error.filename else ""
        return out.failed(Exit.UNAVAILABLE, "system", f"{why(error)}{at}", as_json=as_json)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except SystemExit as ended:  # a command that has said everything itself
        return int(ended.code or 0)
    return Exit.OK


def in_commands(detail: str) -> str:
    """Return a text of the API with its addresses replaced by commands that show the same."""
    for address, command in HINTS.items():
        detail = detail.replace(address, command)
    return detail


def exit_of(error: WellheadError) -> Exit:
    """Return the exit code for an error of the client."""
    if isinstance(error, ApiError) and error.code in PLAIN:
        return Exit.REFUSED
    return next((code for kind, code in EXITS if isinstance(error, kind)), Exit.REFUSED)


def code_of(error: WellheadError) -> str:
    """Return the name of an error of the client as a code: connection_failed."""
    words = re.findall("[A-Z][a-z]+", type(error).__name__)
    return "_".join(words).lower()
