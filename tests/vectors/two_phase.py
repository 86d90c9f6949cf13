"""Double entry in two phases: what is reserved first and posted, in whole or in part, or voided.

A reservation counts against its account as if it were posted, may end by itself, and is decided
once: what is posted of it may be less, and the rest is free again. A transfer's id is its own for
ever: the same again is known as such, another of the same id is refused.
"""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What became of a transfer."""

    OK = "ok"
    EXISTS = "exists"
    EXISTS_DIFFERENT = "exists_different"
    ID_ALREADY_FAILED = "id_already_failed"
    SAME_ACCOUNT = "same_account"
    EXCEEDS_CREDITS = "exceeds_credits"
    UNKNOWN = "unknown"
    ALREADY_POSTED = "already_posted"
    ALREADY_VOIDED = "already_voided"
    EXPIRED = "expired"
    EXCEEDS_PENDING = "exceeds_pending"


class Sums:
    """What an account owes and is owed. `limited`: it may not owe more than it is owed."""

    __slots__ = ("credits_pending", "credits_posted", "debits_pending", "debits_posted", "limited")

    def __init__(self, *, limited: bool = False) -> None:
        self.limited = limited
        self.debits_posted = self.debits_pending = 0
        self.credits_posted = self.credits_pending = 0

    def copy(self) -> "Sums":
        """Return the same sums, apart."""
        made = Sums(limited=self.limited)
        for name in self.__slots__:
            setattr(made, name, getattr(self, name))
        return made

    @property
    def available(self) -> int:
        """Return what is left of what was credited, reservations taken off."""
        return self.credits_posted - self.debits_posted - self.debits_pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What is asked for. A `balancing` one takes no more than there is."""

    transfer_id: str
    debit: str
    credit: str
    amount: int
    is_pending: bool = False
    timeout: int = 0  # seconds until a reservation ends, 0 for never
    balancing: bool = False


class Reservation:
    """A pending transfer and what became of it."""

    __slots__ = ("amount", "credit", "debit", "decided", "ends_at")

    def __init__(self, debit: str, credit: str, amount: int, ends_at: int | None) -> None:
        self.debit, self.credit, self.amount = debit, credit, amount
        self.ends_at = ends_at
        self.decided = Verdict.OK  # while it waits


def judge_decision(reservation: Reservation | None, amount: int, now: int) -> Verdict:
    """Return whether so much of a reservation may be posted now; 0 for voiding it."""
    if reservation is None:
        return Verdict.UNKNOWN
    if reservation.decided != Verdict.OK:
        return reservation.decided
    if reservation.ends_at is not None and reservation.ends_at <= now:
        return Verdict.EXPIRED
    return Verdict.EXCEEDS_PENDING if amount > reservation.amount else Verdict.OK


class TwoPhase:
    """Accounts, and the transfers between them."""

    def __init__(self) -> None:
        self.accounts: dict[str, Sums] = {}
        self.now = 0
        self._done: dict[str, Transfer] = {}
        self._failed: set[str] = set()
        self._reserved: dict[str, Reservation] = {}

    def transfer(self, asked: Transfer) -> tuple[Verdict, int]:
        """Carry out a transfer; return what became of it and how much moved."""
        verdict = self._known(asked) or self._judged(asked)
        if verdict != Verdict.OK:
            if verdict == Verdict.EXCEEDS_CREDITS:
                self._failed.add(asked.transfer_id)
            return verdict, 0
        amount = asked.amount
        debit, credit = self.accounts[asked.debit], self.accounts[asked.credit]
        if asked.balancing:
            amount = min(amount, max(0, debit.available))
        self._done[asked.transfer_id] = asked
        if asked.is_pending:
            ends_at = self.now + asked.timeout if asked.timeout else None
            self._reserved[asked.transfer_id] = Reservation(
                asked.debit, asked.credit, amount, ends_at
            )
            debit.debits_pending += amount
            credit.credits_pending += amount
        else:
            debit.debits_posted += amount
            credit.credits_posted += amount
        return Verdict.OK, amount

    def linked(self, asked: list[Transfer]) -> list[Verdict]:
        """Carry out all of them or none; return what each came to."""
        before = {name: sums.copy() for name, sums in self.accounts.items()}
        done, reserved = dict(self._done), dict(self._reserved)
        verdicts = [self.transfer(one)[0] for one in asked]
        if any(verdict != Verdict.OK for verdict in verdicts):
            self.accounts, self._done, self._reserved = before, done, reserved
        return verdicts

    def post(self, transfer_id: str, amount: int) -> Verdict:
        """Post a reservation, or a part of it; the rest is free again."""
        return self._decide(transfer_id, amount, Verdict.ALREADY_POSTED)

    def void(self, transfer_id: str) -> Verdict:
        """Give a reservation up."""
        return self._decide(transfer_id, 0, Verdict.ALREADY_VOIDED)

    def pass_time(self, now: int) -> None:
        """Let time pass: what ends by then is free again."""
        self.now = now
        for reservation in self._reserved.values():
            ends_at = reservation.ends_at
            if reservation.decided == Verdict.OK and ends_at is not None and ends_at <= now:
                self._release(reservation, 0, Verdict.EXPIRED)

    def _known(self, asked: Transfer) -> Verdict | None:
        if asked.transfer_id in self._failed:
            return Verdict.ID_ALREADY_FAILED
        before = self._done.get(asked.transfer_id)
        if before is None:
            return None
        return Verdict.EXISTS if before == asked else Verdict.EXISTS_DIFFERENT

    def _judged(self, asked: Transfer) -> Verdict:
        if asked.debit == asked.credit:
            return Verdict.SAME_ACCOUNT
        if asked.debit not in self.accounts or asked.credit not in self.accounts:
            return Verdict.UNKNOWN
        debit = self.accounts[asked.debit]
        too_much = debit.limited and not asked.balancing and asked.amount > debit.available
        return Verdict.EXCEEDS_CREDITS if too_much else Verdict.OK

    def _decide(self, transfer_id: str, amount: int, decided: Verdict) -> Verdict:
        reservation = self._reserved.get(transfer_id)
        verdict = judge_decision(reservation, amount, self.now)
        if verdict == Verdict.OK and reservation is not None:
            self._release(reservation, amount, decided)
        return verdict

    def _release(self, reservation: Reservation, amount: int, decided: Verdict) -> None:
        reservation.decided = decided
        debit, credit = self.accounts[reservation.debit], self.accounts[reservation.credit]
        debit.debits_pending -= reservation.amount
        credit.credits_pending -= reservation.amount
        debit.debits_posted += amount
        credit.credits_posted += amount
