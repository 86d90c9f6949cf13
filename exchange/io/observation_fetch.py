"""From a source that is fetched to recorded observations, and where the sources are written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from exchange.io.fetching import Connect, FetchRefused, Resolve, connect_tls, fetch, resolve_name
from exchange.io.observation_files import read_objects
from exchange.io.observations import TOGETHER, Batch, Observations, Outcome
from exchange.rules.observation_rows import Given
from exchange.rules.observation_sources import (
    AnswerInvalid,
    SourceInvalid,
    SourceSpec,
    parse_sources,
    rows_of,
)

FILE_BYTES_MAX: Final = 1 << 20
NS_PER_HOUR: Final = 3_600_000_000_000


def load_sources(path: Path, hosts: Sequence[str]) -> dict[str, SourceSpec]:
    """Return the sources of a file; none where there is no file.

    Errors:
        SourceInvalid: the file or one of its rows cannot be used.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SourceInvalid(f"{path}: {error.strerror}") from error
    if len(raw) > FILE_BYTES_MAX:
        raise SourceInvalid(f"{path}: more than {FILE_BYTES_MAX} bytes")
    try:
        return parse_sources(raw.decode(), hosts)
    except ValueError as error:
        raise SourceInvalid(f"{path}: {error}") from error


async def fetch_and_record(
    store: Observations,
    spec: SourceSpec,
    now_ns: int,
    resolve: Resolve = resolve_name,
    connect: Connect = connect_tls,
) -> Outcome:
    """Ask a source and record what it says.

    Rows that name no time are of this full hour: asked twice within it, they are recorded once.

    Errors:
        FetchRefused: it was not asked, or its answer is not taken.
        DatabaseUnavailable: not all was recorded; repeat it.
    """
    body = await fetch(spec, resolve, connect)
    try:
        found = rows_of(body, spec)
    except AnswerInvalid as error:
        raise FetchRefused(f"{spec.name}: {error}") from error
    given = Given(
        now_ns=now_ns,
        source=spec.name,
        licence=spec.licence,
        default_ns=now_ns - now_ns % NS_PER_HOUR,
    )
    rows, outcome = read_objects(found, given), Outcome()
    for first in range(0, len(rows), TOGETHER):
        batch = Batch(via="fetch", name=spec.name)
        outcome.add(await store.record(rows[first : first + TOGETHER], batch))
    return outcome
