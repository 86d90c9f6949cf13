"""Commands of the risk desk: liquidations, margin calls, drills, proofs, stress."""

from pathlib import Path

from cyclopts import App

from wellhead import default_calls
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask

risk = App(name="risk", help="Accounts by danger, stress, liquidations, margin calls, drills.")
proof = App(name="proof", help="Recompute what the exchange did to accounts, from public data.")
stress = App(name="stress", help="Play bad days again.")


@risk.command
def liquidations(*, account: str | None = None, limit: int = 100, options: Remote = REMOTE) -> None:
    """List liquidations, newest first.

    Parameters
    ----------
    account
        Of this account only.
    """
    with options.operator() as client:
        rows, answer = ask(client, default_calls.liquidations(account, limit))
    if options.json:
        out.document(answer)
        return
    columns = (
        "liquidation", "account", "begun (UTC)", "ended (UTC)", "equity>", "maintenance>",
        "equity after>",
    )  # fmt: skip
    cells = (
        (
            row.liquidation_id,
            row.account_id,
            out.moment(row.begun_ts),
            out.moment(row.ended_ts),
            out.usd(row.equity),
            out.usd(row.maintenance_margin),
            out.usd(row.end_equity),
        )
        for row in rows
    )
    out.show(out.table(columns, cells) if rows else "no liquidations")


@risk.command
def calls(*, account: str | None = None, limit: int = 100, options: Remote = REMOTE) -> None:
    """List margin calls, newest first.

    Parameters
    ----------
    account
        Of this account only.
    """
    with options.operator() as client:
        rows, answer = ask(client, default_calls.margin_calls(account, limit))
    if options.json:
        out.document(answer)
        return
    columns = ("call", "account", "amount>", "met>", "state", "due (UTC)", "reminders>")
    cells = (
        (
            row.call_id,
            row.account_id,
            out.usd(row.amount),
            out.usd(row.met),
            row.state,
            out.moment(row.due_ts),
            row.reminders,
        )
        for row in rows
    )
    out.show(out.table(columns, cells) if rows else "no margin calls")


@risk.command
def drill(
    account: str, /, *, multiple: int = 1, premium: str | None = None, options: Remote = REMOTE
) -> None:
    """Say what members would take in an auction, and each layer pay, if an account defaulted now.

    Parameters
    ----------
    account
        Whose default.
    multiple
        So many times the loss of its worst scenario.
    premium
        How far from the marks all members bid, in USD per GPU-hour; 0.020 unless it is said.
    """
    with options.operator() as client:
        one, answer = ask(client, default_calls.drill(account, multiple, premium))
    if options.json:
        out.document(answer)
        return
    known = {
        "account": one.account_id,
        "equity": out.usd(one.equity),
        "initial margin": out.usd(one.initial_margin),
        "maintenance margin": out.usd(one.maintenance_margin),
        "worst scenario": one.scenario or "none",
        "its loss": out.usd(one.stress_loss),
        "borne by no layer": out.usd(one.uncovered),
    }
    out.show(out.pairs(known))
    cells = (
        (layer.layer, layer.party, out.usd(layer.available), out.usd(layer.used))
        for layer in one.layers
    )
    lots = (
        (lot.lot, f"{lot.offered:,}", f"{lot.taken:,}", out.usd(lot.cost), out.usd(lot.reserve))
        for lot in one.auction or ()
    )
    if one.auction:
        names = ("auction of", "lots>", "taken>", "costs>", "at most>")
        out.show(out.table(names, lots))
    if one.layers:
        out.show(out.table(("layer", "party", "available>", "used>"), cells))


@proof.command
def adl(liquidation: str, /, *, options: Remote = REMOTE) -> None:
    """Recompute every share of a liquidation's deleveraging from the published rows.

    Parameters
    ----------
    liquidation
        Its id, as `wellhead risk liquidations` and the fills of those affected name it.
    """
    from exchange.rules.adl_public import faults_of_published

    with options.client() as client:
        found, answer = ask(client, default_calls.proofs(liquidation))
    if not found:
        raise CliError(
            Exit.REFUSED, "no_proofs", "no deleveraging of this liquidation, if there is one"
        )
    try:
        faults = [fault for one in found for fault in faults_of_published(one)]
    except ValueError as error:
        raise CliError(Exit.DAMAGE, "proof_unreadable", str(error)) from error
    if options.json:
        out.document({**answer, "faults": faults})
    else:
        lots = sum(row["share_lots"] for one in found for row in one["rows"])
        out.show(f"{len(found)} proofs, {lots} lots, {len(faults)} faults")
    if faults:
        raise CliError(Exit.DAMAGE, "proof_wrong", "; ".join(faults))


@stress.command
def report(
    *,
    folder: Path = Path("docs/stress"),
    traders: int = 1_200,
    seed: int = 20_251_010,
) -> None:
    """Play October 2025 again on the real core, and write the page with its plots.

    Parameters
    ----------
    folder
        Where the page goes.
    traders
        How many leveraged accounts there are.
    seed
        The same seed gives the same bytes.
    """
    from exchange.services.stress import Profile, play, write

    if not 10 <= traders <= 20_000:
        raise CliError(Exit.USAGE, "usage", "10 to 20000 traders")
    outcome = play(Profile(seed=seed, traders=traders))
    for path in write(outcome, folder):
        out.show(str(path))
    wrong = [what for what, held in outcome.checks if not held]
    if wrong:
        raise CliError(Exit.DAMAGE, "stress_failed", "; ".join(wrong))
