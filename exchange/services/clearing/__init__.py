"""Clearing: follows the journal and posts what every batch did, once."""

from exchange.services.clearing.loop import Clearing

__all__ = ["Clearing"]
