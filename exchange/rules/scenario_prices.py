"""The prices a set of scenarios is built at, taken from an exchange."""

from exchange.rules.contracts import SymbolError, parse_symbol
from exchange.rules.mirror_state import MirrorState
from matching.codes import TradingState


def settled_prices(state: MirrorState) -> dict[str, int]:
    """Return the settlement price of every living contract by symbol, in order of their listing.

    Contracts of another grammar are left out, and so are combinations: they follow their legs.
    """
    prices: dict[str, int] = {}
    for one in state.contracts:
        if one.state == TradingState.EXPIRED or one.legs or not one.settle_ticks:
            continue
        try:
            parse_symbol(one.symbol)
        except SymbolError:
            continue
        prices[one.symbol] = one.settle_ticks
    return prices
