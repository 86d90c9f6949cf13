"""Surveillance: follows the journal and the observations, and writes what it suspects."""

from exchange.services.surveillance.loop import Surveillance

__all__ = ["Surveillance"]
