"""Members, their clients and ports, as the exchange says them."""

from wellhead.types import Account, Answer, Balance, Position


class Belonged(Answer, frozen=True, kw_only=True):
    """Whose client an account became; by a port, or by the key of an operator."""

    member: str | None
    port_id: str | None = None
    by: str
    ts: int


class Membership(Answer, frozen=True, kw_only=True):
    """Whose client an account is, and has been, oldest first."""

    account_id: str
    member: str | None
    history: list[Belonged]


class Client(Answer, frozen=True, kw_only=True):
    """A client as its member sees it."""

    client: Account
    balances: list[Balance]
    positions: list[Position]


class Stopped(Answer, frozen=True, kw_only=True):
    """A client that its member has stopped."""

    account_id: str
    cancelled_count: int


class Port(Answer, frozen=True, kw_only=True):
    """A client, proposed to another member.

    States: proposed, done, declined, withdrawn, expired.
    """

    port_id: str
    key: str
    account_id: str
    from_member: str
    to_member: str
    reason: str
    status: str
    created_ts: int
    expires_ts: int
    updated_ts: int
