"""Public market data: what a committed batch changed, told to whoever subscribed."""

from exchange.services.market_data.service import MarketData

__all__ = ["MarketData"]
