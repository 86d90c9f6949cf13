"""Commands of the exchange for delivery: sessions, sealed entries, results and their proof."""

import hashlib
import json
from pathlib import Path
from typing import Literal

from cyclopts import App

from wellhead import efd_calls as ec
from wellhead.calls import Json, convert
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit, why
from wellhead.cli.options import REMOTE, Remote, ask, following
from wellhead.cli.receipts import millis

efd = App(name="efd", help="Exchange a position for delivery: one sealed call before each month.")
COLUMNS = ("session", "status", "opens (UTC)", "called (UTC)", "differential>", "settlement>",
           "lots>")  # fmt: skip


@efd.command
def sessions(symbol: str | None = None, /, *, limit: int = 100, options: Remote = REMOTE) -> None:
    """List when interest is taken and called, and what came of it.

    Parameters
    ----------
    symbol
        Only of this month: H100-USE-2027M03.
    """
    with options.client() as client:
        rows, answer = ask(client, ec.sessions(symbol, limit))
    _show_sessions(list(rows), answer, options, f"of {symbol}" if symbol else "")


@efd.command
def enter(
    session: str,
    side: Literal["buy", "sell"],
    quantity: str,
    differential: str,
    /,
    *,
    entry_id: str = "main",
    options: Remote = REMOTE,
) -> None:
    """Say an interest, unseen by others: wellhead efd enter SESSION buy 16 -0.050

    Who buys wants the GPUs and gives its long position; who sells has receipts and is short.

    Parameters
    ----------
    session
        Its name, as `sessions` shows it.
    side
        What you would do with receipts.
    quantity
        Lots, which are GPUs for the month: whole nodes of 8; 0 takes the interest back.
    differential
        USD per GPU-hour to the settlement price: most that is paid, least that is taken.
    entry_id
        Several entries of one account have names of their own; the newest of a name stands.
    """
    with options.trader() as client:
        row, answer = ask(client, ec.enter(session, side, quantity, differential, entry_id))
    _show_entries([row], answer, options)


@efd.command
def entries(*, options: Remote = REMOTE) -> None:
    """List what you said, each version of it."""
    with options.trader() as client:
        rows, answer = ask(client, ec.entries())
    _show_entries(list(rows), answer, options)


@efd.command
def add(symbol: str, /, *, opens: str, call: str, options: Remote = REMOTE) -> None:
    """Announce another session of a month; for an operator.

    Parameters
    ----------
    symbol
        H100-USE-2027M03
    opens
        From when interest is taken: 2027-02-24T00:00Z.
    call
        When it is called; before the contract's trading ends.
    """
    wish = ec.add_session(symbol, millis(opens, "--opens"), millis(call, "--call"))
    with options.operator() as client:
        row, answer = ask(client, wish)
    _show_sessions([row], answer, options)


@efd.command
def result(session: str, /, *, options: Remote = REMOTE) -> None:
    """Show what a call came to, and how each leg ended."""
    with options.client() as client:
        found, answer = ask(client, ec.result(session))
    if options.json:
        out.document(answer)
        return
    _show_sessions([found.session], answer, options)
    _show_legs(found)


@efd.command
def watch(*, own: bool = False, options: Remote = REMOTE) -> None:
    """Follow sessions as they open and are called, until Ctrl-C; with --json a document a line.

    Parameters
    ----------
    own
        With a key: also what each call comes to for the own entries, and how own legs end.
    """
    with options.trader() if own else options.client() as client, following(client) as stream:
        channels = ["efd", "efd_own"] if own else ["efd"]
        for push in stream.subscribe(*channels):
            if options.json:
                out.line({"channel": push.channel, "seq": push.seq, "data": push.data})
            elif push.channel == "efd":
                rows = [convert(row, ec.EfdSession) for row in push.data]
                _show_sessions(rows, None, options, "now")
            else:
                _show_own(push.data)


def _show_own(data: list[Json]) -> None:
    for one in data:
        for row in one["entries"]:
            said = f"own {row['side']} {row['quantity']} at {row['differential']}"
            came = f"{row['counted']} counted, {row['filled']} exchanged"
            out.show(f"{one['session_id']}: {said}: {came}")
        for leg in one["legs"]:
            what = f"{leg['side']} {leg['quantity']} for {leg['paid']} USD"
            ended = " ".join(filter(None, (leg["outcome"] or "on its way", leg["code"])))
            out.show(f"  {leg['receipt_id']}: {what}, {ended}")


def _show_legs(found: ec.EfdResult) -> None:
    said = {leg["place"]: leg for leg in json.loads(found.body)["legs"]}
    cells = [
        (leg.place, leg.receipt_id, said[leg.place]["buyer_idx"], said[leg.place]["seller_idx"],
         said[leg.place]["lots"], out.usd(_usd(said[leg.place]["amount_usd_micros"])),
         leg.outcome or "on its way", leg.code, leg.move_seq)
        for leg in found.legs
    ]  # fmt: skip
    columns = ("leg>", "receipt", "buyer>", "seller>", "lots>", "paid USD>", "outcome", "code",
               "command>")  # fmt: skip
    out.show(out.table(columns, cells) if cells else "no legs")


@efd.command
def prove(
    session: str,
    /,
    *,
    digest: str | None = None,
    save: Path | None = None,
    file: Path | None = None,
    options: Remote = REMOTE,
) -> None:
    """Compute a call again from its published inputs: who counted, the differential, the pairs.

    Parameters
    ----------
    session
        Its name.
    digest
        Of an own entry, as `enter` said it: it must be in the chain.
    save
        Keep the result in this file, too.
    file
        Check what --save kept; needs no network.
    """
    answer = _kept(file) if file is not None else _fetched(session, options)
    if save is not None:
        try:
            save.write_text(json.dumps(answer) + "\n")
        except OSError as error:
            raise CliError(Exit.USAGE, "usage", f"{save}: {error.strerror}") from error
    body, faults = _checked(answer, session, digest)
    if options.json:
        out.document({**answer, "faults": faults})
    else:
        out.show(out.pairs(_told(body)))
        out.show("sound: computed again, and the same" if not faults else f"{len(faults)} faults")
    if faults:
        raise CliError(Exit.DAMAGE, "result_wrong", "; ".join(faults[:5]))


def _fetched(session: str, options: Remote) -> Json:
    with options.client() as client:
        return ask(client, ec.result(session))[1]


def _kept(file: Path) -> Json:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CliError(Exit.USAGE, "usage", f"{file}: {why(error)}") from error
    if not isinstance(found, dict):
        raise CliError(Exit.DAMAGE, "result_unreadable", f"{file} is no JSON object")
    return found


def _checked(answer: Json, session: str, digest: str | None) -> tuple[Json, list[str]]:
    from exchange.rules.delivery.exchange_check import faults_of_result, is_in_chain

    try:
        text = answer["body"]
        body: Json = json.loads(text)
        faults = faults_of_result(body)
        if body["session_id"] != session:
            faults.append("it is of another session")
        if hashlib.sha256(text.encode()).hexdigest() != answer["digest"]:
            faults.append("the digest is of something else")
        if digest is not None and not is_in_chain(body, digest):
            faults.append("your entry is not in the chain")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CliError(Exit.DAMAGE, "result_unreadable", f"{error!r}") from error
    return body, faults


def _told(body: Json) -> dict[str, object]:
    ticks = body["differential_ticks"]
    return {
        "session": body["session_id"],
        "entries": len(body["entries"]),
        "that counted": sum(1 for row in body["entries"] if row["counted"]),
        "settlement price": f"{body['settle_ticks'] / 1000:.3f}",
        "differential": "nothing crossed" if ticks is None else f"{ticks / 1000:.3f}",
        "lots": body["lots"],
        "left over": body["surplus_lots"],
        "pairs": len(body["pairs"]),
        "legs": len(body["legs"]),
        "void": body["void"] or None,
    }


def _usd(usd_micros: int) -> str:
    return f"{usd_micros // 1_000_000}.{usd_micros % 1_000_000:06d}"


def _show_sessions(
    rows: list[ec.EfdSession], answer: object, options: Remote, symbol: str = ""
) -> None:
    if options.json:
        out.document(answer)
        return
    cells = [
        (one.session_id, one.status, out.moment(one.opens_ts), out.moment(one.call_ts),
         one.differential, one.settlement_price, one.quantity)
        for one in rows
    ]  # fmt: skip
    out.show(out.table(COLUMNS, cells) if rows else f"no sessions {symbol}".rstrip())


def _show_entries(rows: list[ec.EfdEntry], answer: object, options: Remote) -> None:
    if options.json:
        out.document(answer)
        return
    cells = [
        (one.session_id, one.entry_id, one.side, one.quantity, one.differential,
         out.moment(one.said_ts), "yes" if one.stands else "no", one.digest)
        for one in rows
    ]  # fmt: skip
    columns = ("session", "entry", "side", "lots>", "differential>", "said (UTC)", "stands",
               "digest")  # fmt: skip
    out.show(out.table(columns, cells) if rows else "no entries")
