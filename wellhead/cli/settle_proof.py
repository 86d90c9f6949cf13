"""A final settlement, proved: exported as one file, and computed again from nothing else."""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any, Final

from wellhead import index_calls
from wellhead import settlement_calls as sc
from wellhead.calls import Json
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit, why
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.client import Client

BYTES_MAX: Final = 512 << 20  # of a bundle, unpacked
PAGE: Final = 1000


def export(symbol: str, /, *, to: Path | None = None, options: Remote = REMOTE) -> None:
    """Write everything public that a final settlement follows from into one file.

    Parameters
    ----------
    symbol
        A contract in delivery or settled: H100-USE-2027M03.
    to
        The file, packed with gzip when its name ends in .gz; SYMBOL.settlement.json.gz when not
        given.
    """
    path = to or Path(f"{symbol}.settlement.json.gz")
    bundle = _fetched_by(options, symbol)
    content = json.dumps(bundle, separators=(",", ":")).encode()
    packed = gzip.compress(content, mtime=0) if path.suffix == ".gz" else content
    try:
        path.write_bytes(packed)
    except OSError as error:
        raise CliError(Exit.USAGE, "usage", f"cannot write {path}: {error.strerror}") from error
    said = {"file": str(path), "bytes": len(packed), "state": bundle["settlement"]["state"],
            "accruals": len(bundle["settlement"]["accruals"]), "prints": len(bundle["chain"]),
            "documents": len(bundle["documents"])}  # fmt: skip
    if options.json:
        out.document(said)
    else:
        out.show(out.pairs(said))


def prove(symbol: str, /, *, bundle: Path | None = None, options: Remote = REMOTE) -> None:
    """Compute a final settlement again: chain of prints, constituents, mean, worth and cash.

    Ends with exit code 5 when anything differs, and names the first fault.

    Parameters
    ----------
    symbol
        H100-USE-2027M03.
    bundle
        A file that `settle export` wrote; then nothing else is asked, no key, no network. When not
        given it is fetched.
    """
    from exchange.rules.final_bundle import bundle_of
    from exchange.rules.final_proof import prove as proof_of

    document = _fetched_by(options, symbol) if bundle is None else _read(bundle)
    try:
        found = bundle_of(document)
    except ValueError as error:
        raise CliError(Exit.DAMAGE, "bundle_unreadable", str(error)) from error
    if found.contract.symbol != symbol:
        raise CliError(Exit.USAGE, "usage", f"a bundle of {found.contract.symbol}, not {symbol}")
    _report(proof_of(found), found, options)


def _report(proof: Any, bundle: Any, options: Remote) -> None:
    from exchange.rules.money import scaled_text

    last, price = bundle.accruals[-1] if bundle.accruals else None, proof.price_usd_micros
    facts = {
        "contract": bundle.contract.symbol,
        "state": bundle.state,
        "chain": f"{proof.chained} links, up to print {proof.head.position}",
        "head": proof.head.digest,
        "prints of its days": f"{proof.prints} of {bundle.contract.period.days}",
        "from constituents": f"{proof.recomputed} of {proof.prints}",
        "settlements": proof.accruals,
        "cash adds up": f"{proof.flows} of {proof.accruals}",
        "final price": scaled_text(price, 6, 4) if price else "",
        "one lot": scaled_text(last.worth_usd_micros, 6, 2) if last else "",
    }
    faults = [str(fault) for fault in proof.faults]
    if options.json:
        out.document(facts | {"sound": not faults, "faults": faults})
    else:
        out.show(out.pairs(facts))
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise CliError(Exit.DAMAGE, "settlement_wrong", faults[0] + more)
    if not options.json:
        out.show("sound: every print and every settlement was computed again and is the same")


def _fetched_by(options: Remote, symbol: str) -> Json:
    """Return a contract's bundle, gathered from public answers."""
    from exchange.rules.final_bundle import bundle_document

    with options.client() as client:
        settlement, _ = ask(client, sc.final(symbol))
        documents, positions = _explained(client, settlement)
        chain = _chain(client, min(positions), max(positions)) if positions else []
    return bundle_document(settlement, chain, documents)


def _explained(client: Client, settlement: Json) -> tuple[dict[str, Json], list[int]]:
    """Return what the prints of the days that are fixed follow from, and their positions."""
    from datetime import date, timedelta

    name, first = settlement["series"], date.fromisoformat(settlement["period_start"])
    documents: dict[str, Json] = {}
    positions: list[int] = []
    for at in range(settlement["accruals"][-1]["days_fixed"]):
        day = (first + timedelta(days=at)).isoformat()
        found, _ = ask(client, index_calls.explain(name, day))
        newest = found.revisions[-1]
        documents[newest.inputs] = found.document
        positions.append(int(newest.position))
        if "benchmark" in found.document:  # a hub without a panel follows the world
            world, _ = ask(client, index_calls.explain(found.document["name"], day))
            documents[world.revisions[-1].inputs] = world.document
            positions.append(int(world.revisions[-1].position))
    return documents, positions


def _chain(client: Client, first: int, last: int) -> list[Json]:
    """Return the chain from the print before one position up to another."""
    found: list[Json] = []
    after = max(0, first - 2)
    while after < last:
        rows, _ = ask(client, index_calls.chain(after, min(PAGE, last - after)))
        if not rows:
            raise CliError(Exit.DAMAGE, "chain_broken", f"no print behind {after}")
        found += rows
        after = int(rows[-1]["position"])
    return found


def _read(path: Path) -> Json:
    """Return the document in a file, packed or not."""
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CliError(Exit.USAGE, "usage", f"cannot read {path}: {why(error)}") from error
    if len(content) > BYTES_MAX:
        raise CliError(Exit.USAGE, "usage", f"{path} is too large for a bundle")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CliError(Exit.DAMAGE, "bundle_unreadable", f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise CliError(Exit.DAMAGE, "bundle_unreadable", f"{path} is no JSON object")
    return document
