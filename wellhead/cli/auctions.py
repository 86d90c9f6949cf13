"""Commands of the operator about a contract: call auctions, halts, guards, its end."""

import msgspec
from cyclopts import App

from wellhead import admin_calls, calls
from wellhead import types as wt
from wellhead.calls import Call
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask, following

auctions = App(name="auctions", help="Call auctions, halts, guards, a contract's end.")

SECONDS_MOST = 366 * 86_400


def millis(option: str, seconds: float) -> int:
    """Return milliseconds.

    Errors:
        CliError: it is no time, or for ever.
    """
    if not 0 <= seconds <= SECONDS_MOST:  # also of what is no number
        raise CliError(Exit.USAGE, "usage", f"{option}: at least 0, at most {SECONDS_MOST}")
    return round(seconds * 1000)


@auctions.command
def begin(
    symbol: str,
    /,
    *,
    phase: str = "manual",
    seconds: float | None = None,
    window: float = 0,
    options: Remote = REMOTE,
) -> None:
    """Begin a call auction: orders gather and may cross until all trade at one price.

    Parameters
    ----------
    symbol
        A contract: H100-USE-2027M03.
    phase
        opening, closing, volatility or manual.
    seconds
        How long it lasts at least; `auctions end` ends it when not given.
    window
        How many seconds longer at most: the end is drawn, and nobody knows it before.
    """
    if seconds is None and window:
        raise CliError(Exit.USAGE, "usage", "--window is behind --seconds: give both")
    ends_after_ms = None if seconds is None else millis("--seconds", seconds)
    window_ms = None if seconds is None else millis("--window", window)
    show_instrument(admin_calls.begin_auction(symbol, phase, ends_after_ms, window_ms), options)


@auctions.command
def end(symbol: str, /, *, options: Remote = REMOTE) -> None:
    """End a call auction now: what crosses trades at one price, then trading goes on."""
    show_instrument(admin_calls.end_auction(symbol), options)


@auctions.command
def halt(symbol: str, /, *, options: Remote = REMOTE) -> None:
    """Halt a contract: only cancels are taken; a running call ends without trades."""
    show_instrument(admin_calls.set_contract(symbol, "halt"), options)


@auctions.command
def resume(symbol: str, /, *, options: Remote = REMOTE) -> None:
    """Let a halted contract trade again; what crosses then trades at one price first."""
    show_instrument(admin_calls.set_contract(symbol, "continuous"), options)


@auctions.command
def guards(
    symbol: str,
    /,
    *,
    velocity_bps: int = 0,
    velocity_seconds: float = 10,
    daily_bps: int = 0,
    daily_next_bps: int = 0,
    auction_seconds: float = 120,
    window: float = 30,
    options: Remote = REMOTE,
) -> None:
    """Set how far a price may move before a volatility auction begins; 0 is no guard.

    Parameters
    ----------
    symbol
        A contract: H100-USE-2027M03.
    velocity_bps
        Basis points within `velocity_seconds`: 500 is 5 %.
    velocity_seconds
        How old the price is that a move is measured from.
    daily_bps
        Basis points from the last settlement: 2000 is 20 %.
    daily_next_bps
        The limit after the first one was reached.
    auction_seconds
        How long the auction lasts at least.
    window
        How many seconds longer at most.
    """
    on = velocity_bps or daily_bps
    velocity_ms = millis("--velocity-seconds", velocity_seconds)
    auction_ms, window_ms = millis("--auction-seconds", auction_seconds), millis("--window", window)
    call = admin_calls.set_guards(
        symbol,
        velocity_bps=velocity_bps,
        velocity_ms=velocity_ms if velocity_bps else 0,
        daily_bps=daily_bps,
        daily_next_bps=daily_next_bps,
        auction_ms=auction_ms if on else 0,
        window_ms=window_ms if on else 0,
    )
    show_instrument(call, options)


@auctions.command
def implied(symbol: str, /, *, off: bool = False, options: Remote = REMOTE) -> None:
    """Let a combination's orders trade with those of its legs.

    Parameters
    ----------
    symbol
        A spread or a strip: H100-USE-2027M03/2027M04.
    off
        No longer: it has its own book alone.
    """
    show_instrument(admin_calls.set_implied(symbol, implied=not off), options)


@auctions.command(name="last-trade")
def last_trade(symbol: str, at: int = 0, /, *, options: Remote = REMOTE) -> None:
    """Set the last moment of trading: from then on nothing is taken but cancels.

    Parameters
    ----------
    symbol
        A contract: H100-USE-2027M03.
    at
        In ms since 1970, as every time of the API; not by itself when it is not given.
    """
    show_instrument(admin_calls.set_last_trade(symbol, at), options)


@auctions.command(name="close-out")
def close_out(symbol: str, /, *, options: Remote = REMOTE) -> None:
    """Close every position of an expired contract at its mark, and pay what is unsettled."""
    show_instrument(admin_calls.close_out(symbol), options)


def auction(symbol: str, /, *, watch: bool = False, options: Remote = REMOTE) -> None:
    """Show the call auction of a contract, and its indicative price.

    Parameters
    ----------
    symbol
        A contract: H100-USE-2027M03.
    watch
        Follow it until Ctrl-C; with --json one document a line.
    """
    with options.client() as client:
        (one,), answer = ask(client, calls.tickers(symbol))
        if not watch:
            if options.json:
                out.document(answer)
            else:
                out.show(f"{one.symbol}: {said(one.state, one.auction)}")
            return
        with following(client) as stream:
            for now in stream.auction(symbol):
                if options.json:
                    out.line(msgspec.to_builtins(now))
                else:
                    out.show(f"{out.clock()}  {said(now.state, now.auction)}{_ended(now)}")


def _ended(now: wt.AuctionState) -> str:
    """Return what the last auction ended with, when none is running."""
    last = now.last_auction
    if now.auction is not None or last is None:
        return ""
    if last.price is None:
        return f"; the {last.phase} auction ended without trades"
    return f"; the {last.phase} auction traded {last.quantity} at {last.price}"


def show_instrument(call: Call[wt.Instrument], options: Remote) -> None:
    """Send a change of a contract, and show what it is then."""
    with options.operator() as client:
        one, answer = ask(client, call)
    if options.json:
        out.document(answer)
    else:
        out.show(f"{one.symbol}: {said(one.state, one.auction)}")


def said(state: str, auction: wt.Auction | None) -> str:
    """Return a contract's trading state, and its auction in words."""
    if auction is None:
        return state
    words = f"{auction.phase} auction"
    if auction.indicative_price is not None:
        words += f", {auction.indicative_quantity} would trade at {auction.indicative_price}"
    if auction.imbalance_side is not None:
        words += f", {auction.imbalance} left over to {auction.imbalance_side}"
    if auction.ends_after is not None:
        words += f", ends after {out.moment(auction.ends_after)} UTC"
    if auction.ends_before is not None and auction.ends_before != auction.ends_after:
        words += f" and before {out.moment(auction.ends_before)}"
    return words
