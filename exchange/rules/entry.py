"""What a position cost to enter, and what closing it earned: exact sums.

The entry value is the signed money at which the open lots were entered:
`sum(tick value x price x lots)`, positive for a long position. When lots are
closed, a share of the entry value leaves with them, rounded down once; whatever
the rounding, entry value plus realised profit always add up to the exact cash
flow of the fills. The average entry price is `entry / (tick value x lots)`.
"""


def after_fill(
    qty_lots: int,
    entry_usd_micros: int,
    realised_usd_micros: int,
    fill_lots: int,
    fill_value_usd_micros: int,
) -> tuple[int, int, int]:
    """Return (qty_lots, entry, realised) after a fill.

    Args:
        qty_lots: the signed position before.
        entry_usd_micros: the signed entry value before.
        realised_usd_micros: profit of lots closed before.
        fill_lots: signed, positive when bought.
        fill_value_usd_micros: tick value x price x fill_lots, signed like fill_lots.
    """
    if qty_lots == 0 or (qty_lots > 0) == (fill_lots > 0):
        return qty_lots + fill_lots, entry_usd_micros + fill_value_usd_micros, realised_usd_micros
    after_lots = qty_lots + fill_lots
    if abs(fill_lots) < abs(qty_lots):
        kept_usd_micros = entry_usd_micros * after_lots // qty_lots
        closed_usd_micros = entry_usd_micros - kept_usd_micros
        return (
            after_lots,
            kept_usd_micros,
            realised_usd_micros - closed_usd_micros - fill_value_usd_micros,
        )
    # The whole old position closes; what is left of the fill opens the other way.
    opened_usd_micros = fill_value_usd_micros * after_lots // fill_lots
    closing_usd_micros = fill_value_usd_micros - opened_usd_micros
    return (
        after_lots,
        opened_usd_micros,
        realised_usd_micros - entry_usd_micros - closing_usd_micros,
    )
