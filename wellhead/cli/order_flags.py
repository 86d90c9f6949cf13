"""What an order on the command line may say besides symbol, quantity and price."""

from dataclasses import dataclass
from typing import Literal

from cyclopts import Parameter

from wellhead.order_fields import OrderOptions

Tif = Literal["GTC", "IOC", "FOK", "GTD", "DAY", "GFA", "GFN"]
Stp = Literal["cancel_newest", "cancel_oldest", "cancel_both", "decrement", "none"]


@Parameter(name="*", group="Order")
@dataclass(frozen=True, kw_only=True)
class OrderFlags:
    """What an order may say besides symbol, quantity and price."""

    market: bool = False
    """Take the best prices within the band; no PRICE then."""

    to_limit: bool = False
    """Take the best opposite price only; the rest stays there as a limit order. No PRICE then."""

    peg: Literal["bid", "ask", "mid"] | None = None
    """Follow the best bid, the best offer or the mid; no PRICE then."""

    peg_offset: str | None = None
    """USD per GPU-hour added to what a pegged order follows: -0.002."""

    stop: str | None = None
    """Wait until the price is here or worse: a sale below, a purchase above; then trade at market,
    or place a limit order where a PRICE is given."""

    if_touched: str | None = None
    """Wait until the price is here or better; otherwise as --stop."""

    trail: str | None = None
    """Wait until the price falls (a sale) or rises (a purchase) by so many USD from its best."""

    trail_bps: int | None = None
    """The same, in basis points of the best price: 100 is 1 %."""

    trigger: Literal["last", "mark", "index"] | None = None
    """The price that is waited for, of the order or of its bracket; last when not given."""

    oco: str | None = None
    """Another open order, by its id: when one of the two trades, the other is cancelled."""

    take_profit: str | None = None
    """Close what it opens when the price is here: a bracket, often with --stop-loss."""

    stop_loss: str | None = None
    """Close what it opens when the price is here: the other side of a bracket."""

    tif: Tif | None = None
    """How long it stands: GTC until cancelled, IOC and FOK at once, GTD until --expires-at,
    DAY until the daily settlement."""

    display: str | None = None
    """Show at most so many lots at a time; the rest is hidden."""

    min_quantity: str | None = None
    """Trade at least so many lots at once, or drop the order whole."""

    post_only: bool = False
    """Refuse it rather than trade at once."""

    reduce_only: bool = False
    """Never open or increase a position."""

    stp: Stp | None = None
    """What happens when it meets an order of the same account."""

    client_id: str | None = None
    """A name of your own, 1 to 32 of A-Z a-z 0-9 . _ : - ; the same again is placed once."""

    expires_at: int | None = None
    """End of a GTD order, milliseconds since 1970."""

    def kind(self, priced: bool) -> str | None:
        """Return the type of the order, None when what was given makes none."""
        trails = self.trail is not None or self.trail_bps is not None
        waits = sum((self.stop is not None, self.if_touched is not None, trails))
        now = {"market": self.market, "market_to_limit": self.to_limit, "pegged": bool(self.peg)}
        meant = [name for name, given in now.items() if given]
        if waits + len(meant) > 1 or (priced and (meant or trails)):
            return None
        if trails:
            return "trailing_stop"
        if waits:
            name = "take_profit" if self.stop is None else "stop"
            return f"{name}_limit" if priced else name
        return meant[0] if meant else "limit" if priced else None

    def order_options(self, kind: str) -> OrderOptions:
        """Return what was given, as the fields of an order."""
        found: OrderOptions = {"client_order_id": self.client_id}
        if kind != "limit":
            found["type"] = kind
        if self.peg:
            found["peg"] = self.peg
        if self.peg_offset:
            found["peg_offset"] = self.peg_offset
        if self.display:
            found["display_quantity"] = self.display
        if self.min_quantity:
            found["min_quantity"] = self.min_quantity
        if self.tif:
            found["tif"] = self.tif
        if self.stp:
            found["stp"] = self.stp
        if self.post_only:
            found["post_only"] = True
        if self.reduce_only:
            found["reduce_only"] = True
        if self.expires_at is not None:
            found["expires_at"] = self.expires_at
        self._add_triggers(found)
        return found

    def _add_triggers(self, found: OrderOptions) -> None:
        trigger_price = self.if_touched if self.stop is None else self.stop
        if trigger_price is not None:
            found["trigger_price"] = trigger_price
        if self.trigger is not None:
            found["trigger_by"] = self.trigger
        if self.trail is not None:
            found["trail_offset"] = self.trail
        if self.trail_bps is not None:
            found["trail_bps"] = self.trail_bps
        if self.oco is not None:
            found["oco_with"] = self.oco
        if self.take_profit is not None:
            found["take_profit"] = self.take_profit
        if self.stop_loss is not None:
            found["stop_loss"] = self.stop_loss
