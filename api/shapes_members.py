"""What answers say of members, their clients and ports."""

from typing import Final

from api.shapes import Answer, Part
from api.shapes_account import Account, Balance, Position
from api.shapes_giveups import Said
from api.shapes_protect import LimitsAnswer


class Belonged(Part):
    """Whose client an account became, and by what: a port, or a key of an operator."""

    member: str | None
    port_id: str | None
    by: str
    ts: int


class Membership(Part):
    """Whose client an account is, and has been, oldest first."""

    account_id: str
    member: str | None
    history: list[Belonged]


class MembershipAnswer(Answer):
    """Whose client an account is."""

    membership: Membership


class ClientsAnswer(Answer):
    """Clients of a member, in the order they were opened."""

    clients: list[Account]
    next_cursor: str | None


class ClientAnswer(Answer):
    """One client of a member: its account, its money and what it holds."""

    client: Account
    balances: list[Balance]
    positions: list[Position]


class ClientKilled(Part):
    """A client that its member has stopped."""

    account_id: str
    cancelled_count: int


class ClientKilledAnswer(Answer):
    """A client is frozen, and its orders are gone."""

    killed: ClientKilled


class Port(Part):
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


class PortAnswer(Answer):
    """One port with its trail."""

    port: Port
    trail: list[Said]


class PortsAnswer(Answer):
    """Ports, newest first."""

    ports: list[Port]
    next_cursor: str | None


# Which operation answers what.
ANSWERS: Final[dict[str, type[Answer]]] = {
    "get_own_membership": MembershipAnswer,
    "get_membership": MembershipAnswer,
    "set_membership": MembershipAnswer,
    "propose_port": PortAnswer,
    "list_all_ports": PortsAnswer,
    "get_any_port": PortAnswer,
    "withdraw_port": PortAnswer,
    "list_clients": ClientsAnswer,
    "get_client": ClientAnswer,
    "get_client_limits": LimitsAnswer,
    "set_client_limits": LimitsAnswer,
    "kill_client": ClientKilledAnswer,
    "list_ports": PortsAnswer,
    "get_port": PortAnswer,
    "accept_port": PortAnswer,
    "decline_port": PortAnswer,
}
