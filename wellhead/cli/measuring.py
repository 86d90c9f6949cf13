"""Commands that measure and check: replay a feed, verify what is stored, bench."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from cyclopts import Parameter

from wellhead.cli import figures, out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import LOCAL, Local
from wellhead.cli.serving import NodeOptions, settings

# An exchange records one every WELLHEAD_HASH_EVERY_COMMANDS, by default 200,000.
NO_HASH: Final = (
    "no state hash is recorded yet: events, ledger and views were compared, and the state above is"
    " that of the replay alone (WELLHEAD_HASH_EVERY_COMMANDS says how often one is recorded)"
)

Tell = Callable[[str, int, int], None]
BenchName = Literal["matching", "worst", "margin", "journal", "gateway", "clearing", "start"]


@contextmanager
def bars(*, quiet: bool) -> Iterator[Tell]:
    """Show progress on stderr: bars on a terminal, else one line a stage; nothing when `quiet`."""
    import sys

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from wellhead.cli.starting import STAGES

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    in_lines = not sys.stderr.isatty()
    disable = quiet or in_lines
    with Progress(*columns, console=out.console(stderr=True), disable=disable) as progress:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                text = STAGES.get(stage, stage)
                tasks[stage] = progress.add_task(text)
                if in_lines and not quiet:
                    out.note(text)
            progress.update(tasks[stage], completed=done, total=total or None)

        yield tell


def replay(
    feed: Path,
    /,
    *,
    trades: Annotated[Path | None, Parameter(name="--trades")] = None,
    accounts: int = 1000,
    margin: bool = False,
    to_jsonl: Annotated[Path | None, Parameter(name="--to-jsonl")] = None,
    options: Local = LOCAL,
) -> None:
    """Run an order feed through the real kernels.

    Parameters
    ----------
    feed
        A file of 16-byte commands, or of one JSON object a line (.jsonl); .xz files are unpacked
        on the way.
    trades
        Write every trade to this file: cmd,taker,maker,px,qty.
    accounts
        The account of an order is its id modulo this.
    margin
        Check the margin of every order over all scenarios.
    to_jsonl
        Run nothing: write the feed of 16-byte commands to this file, as lines of JSON.
    """
    from exchange.services.replay import KEYS, FeedError, replay_feed
    from exchange.services.replay_lines import is_lines, replay_lines, write_lines

    if accounts < 1:
        raise CliError(Exit.USAGE, "usage", "--accounts is at least 1")
    try:
        with bars(quiet=options.json) as tell:
            if to_jsonl is not None:
                result = {"lines": write_lines(feed, to_jsonl, accounts=accounts)}
            elif is_lines(feed):
                result = replay_lines(feed, trades_path=trades, progress=tell)
            else:
                result = replay_feed(
                    feed, accounts=accounts, margin=margin, trades_path=trades, progress=tell
                )
    except (FeedError, OSError) as error:
        raise CliError(Exit.USAGE, "feed_unusable", str(error)) from error
    if options.json:
        out.document({key: result[key] for key in KEYS if key in result} or result)
    else:
        out.show(out.pairs(result))


def verify(*, node: NodeOptions = NodeOptions()) -> None:  # noqa: B008 a frozen value
    """Replay the whole journal in a fresh process; compare every hash, posting and balance.

    Works while the node runs, and while it does not. Names the place of any damage, and
    ends with exit code 5 then.
    """
    with bars(quiet=node.json) as tell:
        report = _verified(settings(node), tell)
    findings = [finding._asdict() for finding in report.findings]
    counts = {
        name: getattr(report, name)
        for name in ("journal_seq", "cleared_seq", "replayed_seq", "batches", "events", "hashes",
                     "snapshots")
    }  # fmt: skip
    counts |= {"state_hash": report.state_hash.hex(), "seconds": round(report.seconds, 2)}
    if node.json:
        out.document({"sound": report.is_sound, **counts, "findings": findings})
    else:
        out.show(out.pairs(counts))
        for finding in report.findings:
            out.show(f"DAMAGE {finding}")
        if report.hashes == 0:
            out.show(NO_HASH)
        if report.is_sound:
            out.show("sound: the replay, the ledger and the views agree")
    if not report.is_sound:
        raise SystemExit(Exit.DAMAGE)


def _verified(found: Any, tell: Tell) -> Any:
    import asyncio

    from exchange.io.errors import StartRefused, Unavailable
    from exchange.services.node.verifying import verify_stored

    def progress(stage: str, done: int = 0, total: int = 0) -> None:
        tell(stage, done, total)

    try:
        return asyncio.run(verify_stored(found, progress))
    except (StartRefused, Unavailable) as error:
        raise CliError(Exit.UNAVAILABLE, "unavailable", str(error)) from error


def bench(what: BenchName, /, *, quick: bool = False, options: Local = LOCAL) -> None:
    """Measure, and say on what: machine, workload, runs, median.

    Parameters
    ----------
    what
        matching: the core alone. worst: its longest commands. margin: a check, and everything
        anew after a swap of scenarios. journal: durable batches.
        gateway: the whole path. clearing: from the journal to ledger and views.
        start: cold and warm.
    quick
        Fewer and shorter runs: to see that it works, not for a figure.
    """
    with bars(quiet=options.json) as tell:
        result = figures.measure(what, tell, quick=quick)
    if options.json:
        out.document(result)
    else:
        figures.show(result)
