"""The loops that run the exchange, one module each."""
