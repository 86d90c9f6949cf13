"""What trading costs: the schedule, and what the own account pays."""

from wellhead import fee_calls
from wellhead.cli import out
from wellhead.cli.options import REMOTE, Remote, ask

PER = "USD per GPU-hour of a fill"


def fees(*, own: bool = False, options: Remote = REMOTE) -> None:
    """Show the fee schedule, or with --own what the account pays.

    Parameters
    ----------
    own
        The own account: its tier, what it was charged, and what it was paid as a market maker.
    """
    if own:
        show_own(options)
        return
    with options.client() as client:
        rows, answer = ask(client, fee_calls.fees())
    if options.json:
        out.document(answer)
        return
    columns = (
        "tier", "from", "30-day GPU-hours>", "maker>", "taker>", "clearing>", "delivery>", "EFD>",
    )  # fmt: skip
    cells = (
        (
            row.tier, row.effective_from, row.volume_gpu_hours, row.maker, row.taker,
            row.clearing, row.delivery, row.exchange_for_delivery,
        )
        for row in rows
    )  # fmt: skip
    out.show(out.table(columns, cells))
    out.show(PER)


def show_own(options: Remote) -> None:
    """Show what the own account pays."""
    with options.trader() as client:
        one, answer = ask(client, fee_calls.own_fees())
    if options.json:
        out.document(answer)
        return
    known = {
        "tier": one.tier,
        "GPU-hours in 30 days": f"{one.volume_gpu_hours} (up to yesterday; today counts from"
        " midnight UTC)",
        "maker": one.rates.maker,
        "taker": one.rates.taker,
        "clearing": one.rates.clearing,
        "charged for trading": one.charged.trading_fee,
        "charged for clearing": one.charged.clearing_fee,
        "charged for delivery": one.charged.delivery_fee,
        "rebates": -one.charged.rebate,
    }
    out.show(out.pairs({name: str(value) for name, value in known.items()}))
    days = [*one.maker_today, *one.maker_days]
    if days:
        columns = ("day", "symbol", "minutes quoted>", "of>", "GPU-hours made>", "rebate>")
        cells = (
            (
                day.date, day.symbol, day.minutes_present, day.minutes_open,
                "" if day.maker_gpu_hours is None else day.maker_gpu_hours,
                "" if day.rebate is None else out.usd(day.rebate),
            )
            for day in days
        )  # fmt: skip
        out.show(out.table(columns, cells))
