"""Commands about contracts that deliver: how far they are settled, and that it is under a root."""

import json
from pathlib import Path

from wellhead import settlement_calls as sc
from wellhead import settlement_types as st
from wellhead.calls import Json, convert
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask, following

COLUMNS = ("symbol", "state", "days>", "a lot, USD>", "change>", "per GPU-hour>", "lots held>",
           "settled (UTC)")  # fmt: skip
MS_PER_DAY = 86_400_000
FILE_BYTES_MAX = 1 << 20


def accruals(
    *,
    state: str | None = None,
    limit: int = 100,
    watch: bool = False,
    options: Remote = REMOTE,
) -> None:
    """Show contracts in delivery: days that are fixed, and what a lot is worth by now.

    Parameters
    ----------
    state
        Only these: delivery, provisional or final.
    limit
        How many.
    watch
        Follow their settlements until Ctrl-C; with --json one document a line.
    """
    with options.client() as client:
        if not watch:
            rows, answer = ask(client, sc.accruals(state, limit))
            _show(list(rows), answer, options)
            return
        with following(client) as stream:
            for push in stream.subscribe("accruals"):
                found = [convert(row, st.InDelivery) for row in push.data]
                chosen = [one for one in found if state in (None, one.state)]
                if options.json:
                    out.line({"seq": push.seq, "accruals": push.data})
                elif chosen:
                    _show(chosen, None, options)


def _show(rows: list[st.InDelivery], answer: object, options: Remote) -> None:
    if options.json:
        out.document(answer)
        return
    cells = [
        (one.symbol, one.state, f"{one.days_fixed}/{one.days or '?'}", one.worth, one.change,
         one.price, one.open_interest, out.moment(one.accrued_ts))
        for one in rows
    ]  # fmt: skip
    out.show(out.table(COLUMNS, cells) if rows else "nothing is in delivery")


def day_text(day: int) -> str:
    """Return a day since 1970 as 2026-11-22."""
    return out.day(day * MS_PER_DAY)


def settlement(
    symbol: str,
    /,
    *,
    file: Path | None = None,
    to: Path | None = None,
    key: str | None = None,
    options: Remote = REMOTE,
) -> None:
    """Check that a final settlement is under the signed root of its day.

    Ends with exit code 5 when anything differs, with 3 while that day is not sealed.

    Parameters
    ----------
    symbol
        A contract that is settled finally: H100-USE-2027M03.
    file
        A proof that --to wrote; then nothing else is asked, no key, no network.
    to
        Write the proof there.
    key
        The exchange's public key in hex, as `wellhead ledger heads` shows it; any when not given.
    """
    from exchange.rules.settlement_tree import OPEN_DAY, faults_of_proof
    from exchange.rules.tenors import NS_PER_DAY

    proof = _read(file) if file is not None else _fetched(symbol, options)
    if to is not None:
        try:
            to.write_text(json.dumps(proof, indent=1) + "\n")
        except OSError as error:
            raise CliError(Exit.USAGE, "usage", f"cannot write {to}: {error.strerror}") from error
    try:
        faults = faults_of_proof(proof, symbol, key)
    except ValueError as error:
        raise CliError(Exit.DAMAGE, "proof_unreadable", str(error)) from error
    if faults == [OPEN_DAY]:
        day = day_text(int(proof["settlement"]["settled_ts_ns"]) // NS_PER_DAY + 1)
        said = f"its day is not sealed yet: that is done soon after 00:00 UTC of {day}"
        raise CliError(Exit.UNAVAILABLE, "not_sealed", said)
    if options.json:
        out.document({"proof": proof, "faults": faults})
    elif not faults:
        root, said = proof["root"], proof["settlement"]
        facts = {"contract": symbol, "final price": said["final_price"], "one lot": said["worth"],
                 "prints": said["digest"], "root": root["root"], "path": len(proof["path"]),
                 "signed by": root["public_key"]}  # fmt: skip
        out.show(out.pairs(facts))
        out.show("sound: the settlement is under the root, and the root is signed")
    if faults:
        raise CliError(Exit.DAMAGE, "proof_wrong", "; ".join(faults))


def _fetched(symbol: str, options: Remote) -> Json:
    with options.client() as client:
        return ask(client, sc.proof(symbol))[0]


def _read(path: Path) -> Json:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(FILE_BYTES_MAX + 1)[:FILE_BYTES_MAX])
    except OSError as error:
        raise CliError(Exit.USAGE, "usage", f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CliError(Exit.DAMAGE, "proof_unreadable", f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise CliError(Exit.DAMAGE, "proof_unreadable", "no proof of a settlement")
    return found
