"""What the clients asked for and what they were told: nothing else counts as acknowledged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from matching.codes import Code

CORE_CODES: Final = {code.name.lower(): code for code in Code}
# The only refusals that leave it open whether the command was, or will be, carried out.
UNKNOWN_CODES: Final = frozenset({"outcome_unknown", "views_behind", "database_unavailable"})

Answer = dict[str, Any]


class Fate(Enum):
    """What a client knows about one request."""

    DONE = "done"
    REFUSED = "refused"  # by the core, which is in the journal too
    NOT_DONE = "not done"  # turned away at the door: the journal never hears of it
    UNKNOWN = "unknown"  # no answer, or one that says so


@dataclass(slots=True, eq=False)
class Request:
    """One order request as it was sent, with its answer."""

    number: int
    account_id: str
    op: str
    fields: dict[str, Any]
    client_order_id: str  # of the order it is about; empty when it is about many
    answer: Answer | None = None

    @property
    def fate(self) -> Fate:
        """Return what the answer says."""
        if self.answer is None:
            return Fate.UNKNOWN
        if self.answer["ok"]:
            return Fate.DONE
        if self.code in CORE_CODES:
            return Fate.REFUSED
        return Fate.UNKNOWN if self.code in UNKNOWN_CODES else Fate.NOT_DONE

    @property
    def code(self) -> str:
        """Return the code of a refusal, empty when there is none."""
        return self.answer["error"]["code"] if self.answer and not self.answer["ok"] else ""

    @property
    def seq(self) -> int:
        """Return the command the answer is true at."""
        return int(self.answer["seq"]) if self.answer else 0

    @property
    def result(self) -> dict[str, Any]:
        """Return what was acknowledged."""
        assert self.answer is not None and self.answer["ok"]
        return self.answer["result"]

    def __str__(self) -> str:
        told = self.answer if self.answer is None else self.code or self.answer.get("result")
        return f"{self.account_id} {self.op} {self.client_order_id} {self.fields} -> {told}"


def shares(answer: Answer | None, count: int) -> list[Answer | None]:
    """Return what the answer to a batch says of each of its requests, as if each had its own."""
    if answer is None or not answer["ok"]:
        return [answer] * count
    results = answer["result"]["results"]
    assert len(results) == count, f"{len(results)} results of {count} requests"
    return [_share(one) for one in results]


def _share(one: dict[str, Any]) -> Answer:
    seq = one.get("seq", 0)  # of its own command; none when none came of it
    if one["ok"]:
        return {"ok": True, "seq": seq, "result": one}
    return {"ok": False, "seq": seq, "error": one["error"]}


@dataclass
class Record:
    """Everything that all clients sent, in order of sending."""

    requests: list[Request] = field(default_factory=list)

    def sent(
        self, account_id: str, op: str, fields: dict[str, Any], client_order_id: str = ""
    ) -> Request:
        """Write a request down before it goes out."""
        request = Request(len(self.requests), account_id, op, fields, client_order_id)
        self.requests.append(request)
        return request

    def of(self, op: str, fate: Fate | None = None) -> Iterator[Request]:
        """Yield the requests of one kind."""
        return (r for r in self.requests if r.op == op and (fate is None or r.fate == fate))

    def count(self, fate: Fate) -> int:
        """Return how many requests had this fate."""
        return sum(r.fate == fate for r in self.requests)
