"""Deals as a reader sees them: block proposals and requests for quotes, open ones and late ones."""

from collections import deque
from collections.abc import Iterator

from matching.codes import Code, DealKind
from matching.wire import unpack_text

ENDED_KEPT = 10_000

STATUSES = {
    int(Code.DEAL_DECLINED): "declined",
    int(Code.DEAL_WITHDRAWN): "withdrawn",
    int(Code.DEAL_EXPIRED): "expired",
    int(Code.CONTRACT_ENDED): "contract_ended",
}


class Deal:
    """One proposal, or one request for quotes: then there is no counterparty and no price."""

    __slots__ = (
        "account_idx",
        "client_words",
        "code",
        "contract_idx",
        "counterparty_idx",
        "created_ns",
        "deal_id",
        "expires_ns",
        "is_open",
        "kind",
        "price_ticks",
        "qty_lots",
        "request_id",
        "side",
        "trade_id",
        "updated_ns",
        "updated_seq",
    )

    deal_id: int
    kind: int  # DealKind
    account_idx: int
    counterparty_idx: int  # -1 of a request
    contract_idx: int
    side: int  # of who proposed; of a request: 0 for either, or side + 1
    price_ticks: int
    qty_lots: int
    expires_ns: int
    request_id: int
    client_words: tuple[int, int, int, int]
    created_ns: int
    updated_ns: int
    updated_seq: int

    def __init__(self) -> None:
        self.is_open = True
        self.code = 0
        self.trade_id = ""

    @property
    def is_request(self) -> bool:
        """Say whether quotes are asked for."""
        return self.kind == DealKind.QUOTES

    @property
    def status(self) -> str:
        """Return how it stands: open, traded, or why it came to nothing."""
        if self.is_open:
            return "open"
        return STATUSES[self.code] if self.code else "traded"

    @property
    def client_id(self) -> str:
        """Return the client's own id, empty for none."""
        return unpack_text(*self.client_words)


class Deals:
    """All open deals, each account's own, and those that ended lately."""

    def __init__(self, kept: int = ENDED_KEPT) -> None:
        self.open: dict[int, Deal] = {}
        self._kept = kept
        self._own: dict[int, dict[int, Deal]] = {}  # by account, either side of it
        self._ended: deque[Deal] = deque()
        self._late: dict[int, Deal] = {}

    def add(self, deal: Deal) -> None:
        """Take in a deal that is open."""
        self.open[deal.deal_id] = deal
        for account_idx in (deal.account_idx, deal.counterparty_idx):
            if account_idx >= 0:
                self._own.setdefault(account_idx, {})[deal.deal_id] = deal

    def end(self, deal: Deal) -> None:
        """Keep a deal that has ended for a while."""
        deal.is_open = False
        del self.open[deal.deal_id]
        self._ended.append(deal)
        self._late[deal.deal_id] = deal
        if len(self._ended) > self._kept:
            self._forget(self._ended.popleft())

    def find(self, deal_id: int) -> Deal | None:
        """Return a deal that is open or ended lately."""
        return self.open.get(deal_id) or self._late.get(deal_id)

    def of_account(self, account_idx: int) -> Iterator[Deal]:
        """Yield what an account proposed, was proposed, or asked for, newest first."""
        return reversed(self._own.get(account_idx, {}).values())

    def requests(self) -> Iterator[Deal]:
        """Yield the open requests for quotes, oldest first."""
        return (deal for deal in self.open.values() if deal.is_request)

    def _forget(self, deal: Deal) -> None:
        del self._late[deal.deal_id]
        for account_idx in (deal.account_idx, deal.counterparty_idx):
            if account_idx >= 0:
                del self._own[account_idx][deal.deal_id]
