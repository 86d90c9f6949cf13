"""The demo market: an exchange with simulated makers and takers. Nothing here is a real price."""
