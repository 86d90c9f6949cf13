"""What the API refuses of members, clients, ports and webhooks; `errors.py` has all others."""

from typing import Final

OWN: Final[dict[str, int]] = {
    "not_a_member": 403,
    "member_not_allowed": 409,
    "client_not_allowed": 409,
    "client_unknown": 404,
    "client_has_member": 409,
    "client_has_no_member": 409,
    "owner_not_allowed": 409,
    "port_unknown": 404,
    "port_ended": 409,
    "port_going": 409,
    "port_not_now": 409,
    "webhook_unknown": 404,
    "webhook_busy": 409,
    "too_many_webhooks": 409,
}
