"""Commands of suppliers: make a key, sign what nodes did, send it, check it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from wellhead import delivery_calls as dc
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.key_files import new_key, read_key
from wellhead.cli.options import LOCAL, REMOTE, Local, Remote, ask
from wellhead.client import Client
from wellhead.metering import (
    Metered,
    MeteringError,
    ReadingImpossible,
    gaps,
    read_metering,
    read_signed,
    repeats,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

telemetry = App(name="telemetry", help="What own nodes did: sign it, send it, check it.")
TOGETHER = 30  # readings of one request
PAUSE_S = 0.2


@telemetry.command
def keygen(file: Path, /, *, options: Local = LOCAL) -> None:
    """Make an issuer's key: writes the private part, says the public one.

    Parameters
    ----------
    file
        Where to; it is readable by its owner alone, and must not exist.
    """
    public = new_key(file)
    if options.json:
        out.document({"public_key": public})
    else:
        out.show(public)


@telemetry.command
def sign(file: Path, /, *, account: str, key_file: Path, to: Path, options: Local = LOCAL) -> None:
    """Sign a metering file, CSV or JSON lines: one signed line a node and hour. Needs no network.

    Parameters
    ----------
    file
        node, hour, uptime_s, load_factor, gpu_hours, kwh, perhaps counter.
    account
        The issuer's own account, as the exchange names it.
    key_file
        What `keygen` wrote.
    to
        Where the signed lines go, JSON lines.
    """
    from dataclasses import replace

    key = read_key(key_file)
    rows = _read(read_metering, file)
    signed = [replace(one, signature=key.sign(one.message(account)).hex()) for one in rows]
    try:
        to.write_text("".join(json.dumps(one.as_json()) + "\n" for one in signed))
    except OSError as error:
        raise CliError(Exit.USAGE, "usage", f"{to}: {error.strerror}") from error
    _tell(signed, [], options)


@telemetry.command
def check(file: Path, /, *, account: str, public_key: str, options: Local = LOCAL) -> None:
    """Check signed lines without a network: signatures, replays, gaps.

    Gaps are told; a wrong signature or a replay ends it with exit code 5.

    Parameters
    ----------
    file
        What `sign` wrote.
    account
        The issuer's account.
    public_key
        Its key in hex, as `wellhead receipts issuers` shows it.
    """
    rows = _read(read_signed, file)
    faults = repeats(rows)
    key = _public(public_key)
    faults += [
        f"{one.node} {out.moment(one.hour_ts)}: not signed with that key"
        for one in rows
        if not _is_signed(key, one, account)
    ]
    _tell(rows, faults, options)
    if faults:
        raise CliError(Exit.DAMAGE, "telemetry_wrong", "; ".join(faults[:5]))


@telemetry.command
def send(file: Path, /, *, options: Remote = REMOTE) -> None:
    """Send signed lines; safe to repeat: what is known is a duplicate.

    What is quarantined is shown with the reason, and ends it with exit code 1.

    Parameters
    ----------
    file
        What `sign` wrote.
    """
    rows = _read(read_signed, file)
    with options.trader() as client:
        results = list(_sent(client, rows))
    refused = [one for one in results if one.status == "quarantined"]
    if options.json:
        out.document(
            {
                "results": [
                    {"node": row.node, "hour_ts": row.hour_ts, "status": one.status,
                     "reason": one.reason}
                    for row, one in zip(rows, results, strict=True)
                ]
            }
        )  # fmt: skip
    else:
        cells = [
            (row.node, out.moment(row.hour_ts), row.counter, one.status, one.reason)
            for row, one in zip(rows, results, strict=True)
        ]
        columns = ("node", "hour (UTC)", "counter>", "status", "reason")
        out.show(out.table(columns, cells))
    if refused:
        reasons = ", ".join(sorted({one.reason or "" for one in refused}))
        raise SystemExit(_refused(len(refused), reasons, options))


def _refused(count: int, reasons: str, options: Remote) -> int:
    if not options.json:
        out.note(f"{count} quarantined: {reasons}")
    return int(Exit.REFUSED)


@telemetry.command(name="gaps")
def shown_gaps(receipt: str, /, *, options: Remote = REMOTE) -> None:
    """Show hours of a receipt's nodes that nobody reported, between reported ones.

    Parameters
    ----------
    receipt
        Its id: cdr_...
    """
    with options.trader() as client:
        found, answer = ask(client, dc.detail(receipt))
    if options.json:
        out.document({"readings": answer["readings"], "gaps": answer["gaps"]})
        return
    cells = [(one.node, out.moment(one.start_ts), out.moment(one.end_ts)) for one in found.gaps]
    columns = ("node", "from (UTC)", "to (UTC)")
    out.show(out.table(columns, cells) if cells else f"{found.readings} readings, no gaps")


def _read(reader: object, file: Path) -> list[Metered]:
    assert callable(reader)
    try:
        rows: list[Metered] = reader(file)
    except ReadingImpossible as error:
        raise CliError(Exit.USAGE, "reading_impossible", str(error)) from error
    except MeteringError as error:
        raise CliError(Exit.USAGE, "usage", str(error)) from error
    return rows


def _sent(client: Client, rows: list[Metered]) -> Iterator[dc.ReadingResult]:
    """Send readings some at a time; yield what became of each."""
    import time

    for first in range(0, len(rows), TOGETHER):
        if first:
            time.sleep(PAUSE_S)
        yield from client.run(
            dc.telemetry([one.as_json() for one in rows[first : first + TOGETHER]])
        )


def _public(text: str) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
    except ValueError as error:
        raise CliError(Exit.USAGE, "usage", "--public-key: 64 hex digits") from error


def _is_signed(key: "Ed25519PublicKey", one: Metered, account: str) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(bytes.fromhex(one.signature), one.message(account))
    except (InvalidSignature, ValueError):
        return False
    return True


def _tell(rows: list[Metered], faults: list[str], options: Local) -> None:
    found = gaps(rows)
    if options.json:
        spans = [{"node": node, "start_ts": start, "end_ts": end} for node, start, end in found]
        out.document({"readings": len(rows), "faults": faults, "gaps": spans})
        return
    nodes = len({one.node for one in rows})
    out.show(f"{len(rows)} readings of {nodes} nodes, {len(found)} gaps, {len(faults)} faults")
    for node, start, end in found:
        out.show(f"gap: {node} from {out.moment(start)} to {out.moment(end)}")
