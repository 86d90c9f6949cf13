"""Commands of operators: correct a day's settlement before it is final, two of them together."""

from wellhead import settlement_calls as sc
from wellhead import settlement_types as st
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.options import REMOTE, Remote, ask

COLUMNS = ("id>", "date", "status", "symbol", "was>", "is>", "rule", "a lot, USD>", "limit", "by",
           "reason")  # fmt: skip
NONE = "none"


def correct(
    date: str,
    symbol: str,
    /,
    *,
    reason: str,
    price: str | None = None,
    mark: str | None = None,
    bid: str | None = None,
    ask_price: str | None = None,
    closing: str | None = None,
    volume: str | None = None,
    vwap: str | None = None,
    correction_id: str | None = None,
    dry_run: bool = False,
    override: bool = False,
    options: Remote = REMOTE,
) -> None:
    """Propose to correct a contract's settlement of a day; another operator approves it.

    All prices of that moment are found again by the same rules: whatever comes out otherwise is
    corrected with it. Until 12:00 UTC of the next day; then it is final.

    Parameters
    ----------
    date
        The day: 2026-11-22.
    symbol
        The contract of which something was wrong.
    reason
        Why, at least 8 characters; hashed and published with the prices.
    price
        The settlement price itself, USD per GPU-hour.
    mark
        The mark that it should have been settled by.
    bid
        The bid that stood at depth; "none" for none. --ask-price and --closing alike.
    volume
        Lots that traded in the last half hour, with --vwap; 0 for none.
    correction_id
        A name of your own: said again, nothing is proposed twice.
    dry_run
        Only show what would change.
    override
        Also by more than the contract's limit of a day; who approves it says so too.
    """
    given = {"price": price, "mark_price": mark, "bid_price": bid, "ask_price": ask_price,
             "closing_price": closing, "window_volume": volume, "window_vwap": vwap}  # fmt: skip
    change: dict[str, str | None] = {
        name: None if text == NONE else text for name, text in given.items() if text is not None
    }
    if not change:
        raise CliError(Exit.USAGE, "usage", "say what is right: --price, --mark, --volume ...")
    change["symbol"] = symbol
    call = sc.correct(date, reason, [change], correction_id=correction_id, dry_run=dry_run,
                      override=override)  # fmt: skip
    with options.operator() as client:
        found, answer = ask(client, call)
    _show(found, answer, options)


def corrections(*, limit: int = 20, options: Remote = REMOTE) -> None:
    """Show corrections of settlements, newest first.

    Parameters
    ----------
    limit
        How many.
    """
    with options.operator() as client:
        rows, answer = ask(client, sc.corrections(limit))
    if options.json:
        out.document(answer)
    else:
        out.show(out.table(COLUMNS, _cells(rows)) if rows else "no corrections")


def approve(correction_id: str, /, *, override: bool = False, options: Remote = REMOTE) -> None:
    """Approve a correction that another operator proposed: it is carried out within seconds.

    Parameters
    ----------
    correction_id
        As `settle corrections` shows it.
    override
        Also where a price is beyond the contract's limit of a day.
    """
    _decide(correction_id, "approve", options, override=override)


def withdraw(correction_id: str, /, *, options: Remote = REMOTE) -> None:
    """Withdraw a correction that nobody has approved.

    Parameters
    ----------
    correction_id
        As `settle corrections` shows it.
    """
    _decide(correction_id, "withdraw", options)


def _decide(correction_id: str, action: str, options: Remote, *, override: bool = False) -> None:
    with options.operator() as client:
        found, answer = ask(client, sc.decide_correction(correction_id, action, override=override))
    _show(found, answer, options)


def _show(found: st.CorrectionAsked, answer: object, options: Remote) -> None:
    if options.json:
        out.document(answer)
        return
    one = found.correction or st.Correction(
        correction_id="-",
        date="-",
        status="would be",
        reason="",
        proposed_by="",
        prices=found.prices,
    )
    out.show(out.table(COLUMNS, _cells([one])))


def _cells(rows: list[st.Correction]) -> list[tuple[object, ...]]:
    return [
        (one.correction_id, one.date, one.code or one.status, price.symbol, price.replaced_price,
         price.price, price.rule, price.difference, "beyond" if price.beyond_limit else "",
         _by(one), one.reason)
        for one in rows
        for price in one.prices
    ]  # fmt: skip


def _by(one: st.Correction) -> str:
    return " and ".join(name for name in (one.proposed_by, one.approved_by) if name)
