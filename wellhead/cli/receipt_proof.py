"""Everything that happened to a receipt, checked against signed roots with public data alone."""

import json
from pathlib import Path

from wellhead import delivery_calls as dc
from wellhead.calls import Json
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit, why
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.cli.settled import day_text


def prove(
    receipt: str,
    /,
    *,
    key: str | None = None,
    save: Path | None = None,
    file: Path | None = None,
    options: Remote = REMOTE,
) -> None:
    """Check everything that happened to a receipt against signed roots, with public data alone.

    Ends with exit code 5 when anything differs, with 3 while the day of an event is not sealed.

    Parameters
    ----------
    receipt
        Its id.
    key
        The exchange's public key in hex, as `wellhead ledger heads` shows it; any when not given.
    save
        Keep the proof in this file, too.
    file
        Check what --save kept; needs no network.
    """
    from exchange.rules.delivery.checked import faults_of_proofs, open_days

    if file is not None:
        answer = _kept(file)
    else:
        with options.client() as client:
            _, answer = ask(client, dc.proofs(receipt))
    try:
        found = answer["proofs"]
        faults = faults_of_proofs(found, receipt, key, may_be_open=True)
        waiting = open_days(found)
    except (KeyError, ValueError) as error:
        raise CliError(Exit.DAMAGE, "proof_unreadable", str(error)) from error
    if save is not None:
        try:
            save.write_text(json.dumps(answer) + "\n")
        except OSError as error:
            raise CliError(Exit.USAGE, "usage", f"{save}: {error.strerror}") from error
    if options.json:
        said = [day_text(day) for day in waiting]
        out.document({**answer, "faults": faults, "not_sealed": said})
    else:
        out.show(f"{len(found)} events, {len(faults)} faults")
    if faults:
        raise CliError(Exit.DAMAGE, "proof_wrong", "; ".join(faults))
    if waiting and not options.json:
        days, due = ", ".join(map(day_text, waiting)), day_text(waiting[-1] + 1)
        out.show(f"not sealed yet: what happened on {days}; that is done soon after 01:00 UTC")
        out.show(f"of the next day ({due} for the last): run this again then")
    if waiting:
        raise SystemExit(Exit.UNAVAILABLE)


def _kept(file: Path) -> Json:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CliError(Exit.USAGE, "usage", f"{file}: {why(error)}") from error
    if not isinstance(found, dict):
        raise CliError(Exit.DAMAGE, "proof_unreadable", f"{file} is no JSON object")
    return found
