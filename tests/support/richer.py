"""A flow with icebergs, pegs, orders for the day, and amendments of all that may be amended."""

import numpy as np

from matching.codes import Flag, Kind, OrderType, Side, Tif
from matching.wire import pack_halves
from tests.support.flow import PRICE_TICKS, Flow
from tests.support.rows import command

NAMED = (Flag.NEW_DISPLAY, Flag.NEW_TIF, Flag.NEW_OFFSET, Flag.NEW_FLAGS | Flag.POST_ONLY)


class RicherFlow(Flow):
    """The usual market, in which many orders say more of themselves."""

    def place(self) -> np.ndarray:
        """Return an order; a third are not plain."""
        if self.random.random() < 0.66:
            return super().place()
        pick = self.random
        kind = pick.choice((OrderType.LIMIT, OrderType.MARKET_TO_LIMIT, OrderType.PEGGED))
        pegged, side = kind == OrderType.PEGGED, pick.choice((Side.BUY, Side.SELL))
        price_ticks = PRICE_TICKS + pick.randint(-12, 15) * (-1 if side == Side.BUY else 1)
        return command(
            Kind.PLACE, account_idx=pick.randrange(self.accounts), side=side, order_type=kind,
            contract_idx=pick.randrange(self.contracts), tif=pick.choice((Tif.GTC, Tif.DAY)),
            qty_lots=pick.randint(5, 30), amount_usd_micros=pack_halves(0, pick.randint(0, 5)),
            price_ticks=price_ticks if kind == OrderType.LIMIT else 0,
            state=pick.randint(1, 3) if pegged else 0,
            ref_id=pack_halves(pick.randint(-4, 4), 0) if pegged else 0,
        )  # fmt: skip

    def change(self) -> np.ndarray:
        """Return a change; some are of nothing but the terms."""
        if self.random.random() < 0.7:
            return super().change()
        pick = self.random
        account_idx, order_id = pick.choice(self.open_ids[-60:])
        return command(
            Kind.AMEND, account_idx=account_idx, order_id=order_id, flags=pick.choice(NAMED),
            tif=Tif.DAY, ref_id=pack_halves(pick.randint(-4, 4), 0),
            amount_usd_micros=pack_halves(0, pick.randint(0, 4)),
        )  # fmt: skip
