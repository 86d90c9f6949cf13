"""Commands of providers of prices: make a key, register it, submit prices with it."""

import csv
from collections.abc import Iterator
from pathlib import Path

from wellhead import observation_calls as oc
from wellhead.calls import Json
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.key_files import new_key
from wellhead.cli.observations import observations
from wellhead.cli.options import REMOTE, Remote, ask
from wellhead.client import Client
from wellhead.signing import ED25519

ROWS = 40  # of one request: they fit into its bytes
PAUSE_S = 0.6  # a provider may send two submissions a second


@observations.command
def keygen(file: Path, /) -> None:
    """Make a provider's key: writes the private part, says the public one.

    Parameters
    ----------
    file
        Where to; it is readable by its owner alone, and must not exist.
    """
    out.show(new_key(file))


@observations.command
def provider(name: str, public_key: str, /, *, licence: str, options: Remote = REMOTE) -> None:
    """Register the public key of a provider; for an operator. Says the key's id.

    Parameters
    ----------
    name
        Whose prices it signs.
    public_key
        In hex, as `keygen` says it.
    licence
        Under which its prices may be kept and shown.
    """
    with options.operator() as client:
        key, answer = ask(client, oc.add_provider_key(name, public_key, licence))
    if options.json:
        out.document(answer)
    else:
        out.show(f"{key.key} signs prices of {key.provider}")


@observations.command
def submit(file: Path, /, *, key: str, key_file: Path, options: Remote = REMOTE) -> None:
    """Send a CSV file of own prices, signed; safe to repeat.

    Parameters
    ----------
    file
        The columns of `import`, without source.
    key
        The id that the operator got for the public key.
    key_file
        What `keygen` wrote.
    """
    try:
        secret = key_file.read_text().strip()
        with file.open(newline="") as lines:
            rows = [
                {name: text for name, text in row.items() if name and text}
                for row in csv.DictReader(lines)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CliError(Exit.USAGE, "usage", f"{error}") from error
    if not secret.startswith(ED25519):
        raise CliError(Exit.USAGE, "usage", f"{key_file} is no key of `keygen`")
    with options.client() as public, Client(public.url, key, secret) as client:
        results = list(_sent(client, rows))
    if options.json:
        out.document({"results": results})
        return
    cells = [
        (at, one["status"], one["number"], one["reason"], one["detail"])
        for at, one in enumerate(results, 1)
    ]
    out.show(out.table(("row>", "status", "number>", "reason", "detail"), cells))


def _sent(client: Client, rows: list[dict[str, str]]) -> Iterator[Json]:
    """Send rows some at a time, no faster than a provider may; yield what became of each."""
    import time

    for first in range(0, len(rows), ROWS):
        if first:
            time.sleep(PAUSE_S)
        yield from client.raw(oc.submit(rows[first : first + ROWS]))["results"]
