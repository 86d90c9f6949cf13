"""Webhooks: what happens to accounts, told to addresses of theirs over HTTPS."""

from exchange.services.webhooks.loop import Webhooks

__all__ = ["Webhooks"]
