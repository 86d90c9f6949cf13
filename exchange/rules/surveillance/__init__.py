"""Surveillance: patterns of abuse in what the journal says, each with the commands that show it."""

from exchange.rules.surveillance.alerts import Alert, Pattern
from exchange.rules.surveillance.watcher import Watcher

__all__ = ["Alert", "Pattern", "Watcher"]
