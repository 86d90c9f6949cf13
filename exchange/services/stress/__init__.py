"""Stress: October 2025 played again on the real core, and the page that says how it went."""

from exchange.services.stress.october import Outcome, Profile, play
from exchange.services.stress.report import write

__all__ = ["Outcome", "Profile", "play", "write"]
