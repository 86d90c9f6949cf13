"""Bodies about members, their clients and ports."""

from msgspec import UNSET, UnsetType

from api.schemas import Body, MaybeText, Millis, Text


class MemberChange(Body):
    """Whose client an account becomes; null: nobody's."""

    member: Text | None


class PortNew(Body):
    """A client, proposed to another member; `port_id` makes a repetition the same."""

    account_id: Text
    to: Text
    reason: Text
    port_id: MaybeText = UNSET
    expires_ms: Millis | UnsetType = UNSET
