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

    def order_options(self) -> OrderOptions:
        """Return what was given, as the fields of an order."""
        found: OrderOptions = {"client_order_id": self.client_id}
        kinds = {"market": self.market, "market_to_limit": self.to_limit, "pegged": self.peg}
        for kind, meant in kinds.items():
            if meant:
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
        return found
