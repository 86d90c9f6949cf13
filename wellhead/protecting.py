# Made by tools/sync_client.py from async_protecting.py: change that file.
"""Quotes and protections: the part of the client that keeps its account, or the exchange, safe.

made from this file's twin.
"""

from collections.abc import Iterable

from wellhead import protect_calls
from wellhead import protect_types as wt
from wellhead.calls import Json
from wellhead.http_sync import Http
from wellhead.order_fields import Number


class Protecting:
    """What `Client` says beside orders: `client.protect`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def quote_mass(
        self, quotes: Iterable[Json], *, group: int = 0, post_only: bool = True
    ) -> list[Json]:
        """Replace quotes of up to 64 contracts, made by `quote`; each has its own result."""
        return self._http.run(protect_calls.quote_mass(quotes, group, post_only=post_only))

    def cancel_all_after(self, timeout_ms: int) -> wt.CancelTimer:
        """Cancel everything after so long unless this is called again; 0 disarms."""
        return self._http.run(protect_calls.cancel_all_after(timeout_ms))

    def protections(self) -> wt.Protections:
        """Return own limits, timer and quote groups."""
        return self._http.run(protect_calls.protections())

    def set_quote_group(
        self, group: int, window_ms: int, *, quantity: Number = 0, delta: Number = 0, fills: int = 0
    ) -> wt.QuoteGroup:
        """Protect a quote group by limits of what fills within a window; 0 is none."""
        call = protect_calls.set_quote_group(group, window_ms, quantity, delta, fills)
        return self._http.run(call)

    def reset_quote_group(self, group: int) -> wt.QuoteGroup:
        """Let a quote group quote again after a limit was reached."""
        return self._http.run(protect_calls.reset_quote_group(group))

    # The operator

    def kill(
        self,
        *,
        account_id: str | None = None,
        key: str | None = None,
        member: str | None = None,
        exchange: bool = False,
    ) -> wt.Killed:
        """Kill exactly one of them: nothing of it is accepted or rests after the answer."""
        call = protect_calls.kill(
            account_id=account_id, key=key, member_name=member, exchange=exchange
        )
        return self._http.run(call)

    def halt(self) -> wt.Halt:
        """Halt the whole exchange; cancels are allowed."""
        return self._http.run(protect_calls.halt())

    def resume(self) -> wt.Halt:
        """Let a halted exchange go on."""
        return self._http.run(protect_calls.resume())

    def set_limits(
        self,
        account_id: str,
        *,
        order_quantity: Number = 0,
        order_notional: Number | None = None,
        position: Number = 0,
        orders_per_second: int = 0,
        open_orders: int = 0,
    ) -> wt.OwnLimits:
        """Set all limits of an account at once; 0 is none."""
        call = protect_calls.set_limits(
            account_id,
            order_quantity=order_quantity,
            order_notional=order_notional,
            position=position,
            orders_per_second=orders_per_second,
            open_orders=open_orders,
        )
        return self._http.run(call)
