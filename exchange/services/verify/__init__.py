"""Verification: everything that is stored, against a replay from the first command."""

from exchange.services.verify.run import Report, verify

__all__ = ["Report", "verify"]
