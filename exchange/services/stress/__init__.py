"""Stress: October 2025 played again on the real core, and the page that says how it went."""

from exchange.services.stress.october import play
from exchange.services.stress.outcome import Outcome, Profile
from exchange.services.stress.report import write

__all__ = ["Outcome", "Profile", "play", "write"]
