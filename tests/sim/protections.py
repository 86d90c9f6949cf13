"""Quotes, and the commands that protect: drawn so that limits, windows and timers are met."""

from collections.abc import Callable
from random import Random

from matching.codes import AccountState, Flag, Kind, Stp
from matching.limits import CANCEL_AFTER_NS_MAX, QUOTE_GROUPS
from matching.wire import halves, pack_halves
from tests.oracle.state import Exchange
from tests.sim.profile import Profile

Fields = dict[str, int]


class Protector:
    """Draws what market makers and the operator send for safety."""

    def __init__(
        self, rng: Random, profile: Profile, ex: Exchange, choose_contract: Callable[[], int]
    ) -> None:
        self.rng = rng
        self.profile = profile
        self.ex = ex
        self.choose_contract = choose_contract
        self.quoted: list[Fields] = []  # lately, to be repeated with little changed

    def quote(self) -> Fields:
        """Quote around the mark; often the last quote again, with one number changed."""
        rng = self.rng
        if self.quoted and rng.random() < 0.6:
            fields = dict(rng.choice(self.quoted))
            fields["qty_lots"] = self._changed(fields["qty_lots"], 0)
            if rng.random() < 0.5:
                fields["price_ticks"] = self._changed(fields["price_ticks"], 1)
        else:
            fields = self._quote()
        self.quoted = self.quoted[-8:] + [fields]
        return fields

    def _quote(self) -> Fields:
        rng, profile = self.rng, self.profile
        contract_idx = self.choose_contract()
        contract = self.ex.contracts[contract_idx]
        highest = (1 << self.ex.capacity.price_bits) - 1
        spread = profile.spread_ticks
        prices = [
            min(highest, max(1, contract.mark_ticks + sign * rng.randint(-1, spread)))
            for sign in (-1, 1)
        ]
        lots = [rng.randint(0, min(profile.qty_usual_lots, contract.qty_max_lots)) for _ in prices]
        return {
            "kind": Kind.QUOTE,
            "account_idx": self._account(),
            "contract_idx": contract_idx,
            "price_ticks": pack_halves(*prices),
            "qty_lots": pack_halves(*lots),
            "flags": rng.choice((0, 0, Flag.POST_ONLY)),
            "stp": rng.choice((Stp.NONE, Stp.NONE, *Stp)),
            "state": rng.choice((0, 0, rng.randrange(QUOTE_GROUPS))),
        }

    def _changed(self, word: int, least: int) -> int:
        low, high = halves(word)
        steps = self.rng.choice((-1, 0, 0, 1, -low)), self.rng.choice((-1, 0, 1))
        return pack_halves(
            *(
                min(1 << 30, max(least, half + step))
                for half, step in zip((low, high), steps, strict=True)
            )
        )

    def mmp(self) -> Fields:
        """Protect a group, mostly tightly; or take the protection away."""
        rng = self.rng
        fields: Fields = {
            "kind": Kind.SET_MMP, "account_idx": self._account(), "state": self._group(),
        }  # fmt: skip
        if rng.random() < 0.15:
            return fields
        usual = max(2, self.profile.qty_usual_lots)
        fields["expires_ns"] = rng.choice((1, 400, 100_000, 3600 * 10**9, 3600 * 10**9 + 1))
        fields["qty_lots"] = rng.choice((0, rng.randint(1, 3 * usual)))
        fields["order_id"] = rng.choice((0, rng.randint(1, 2 * usual)))
        fields["ref_id"] = rng.choice((0, 1, 2, 5))
        return fields

    def reset_mmp(self) -> Fields:
        frozen = [
            (idx, group)
            for idx, account in enumerate(self.ex.accounts)
            for group, mmp in enumerate(account.mmps)
            if mmp.frozen
        ]
        idx, group = self.rng.choice(frozen) if frozen else (self._account(), self._group())
        return {"kind": Kind.RESET_MMP, "account_idx": idx, "state": group}

    def limits(self) -> Fields:
        """Give an account limits that it will meet, or none."""
        rng, profile = self.rng, self.profile
        fields: Fields = {"kind": Kind.SET_LIMITS, "account_idx": self._account()}
        fields["state"] = rng.choice((0, 1, 1))
        usual = max(2, profile.qty_usual_lots)
        values = {
            "qty_lots": rng.randint(1, usual),
            "amount_usd_micros": usual * profile.mark_ticks * rng.choice(profile.tick_values),
            "order_id": rng.randint(1, 3 * usual),
            "price_ticks": rng.choice((1, 2, rng.randint(1, 30))),
            "ref_id": rng.randint(1, 6),
        }
        return fields | {name: value for name, value in values.items() if rng.random() < 0.4}

    def timer(self) -> Fields:
        rng = self.rng
        after_ns = rng.choice(
            (0, 1, 300, rng.randint(1, 20_000), CANCEL_AFTER_NS_MAX, CANCEL_AFTER_NS_MAX + 1)
        )
        return {
            "kind": Kind.CANCEL_ALL_AFTER,
            "account_idx": self._account(),
            "expires_ns": after_ns,
            "state": rng.choice((0, 0, 1)),
        }

    def kill(self) -> Fields:
        return {"kind": Kind.KILL_ACCOUNT, "account_idx": self._account()}

    def halt(self) -> Fields:
        return {"kind": Kind.HALT_EXCHANGE, "state": 1}

    def sweep(self) -> Fields:
        contract_idx = self.rng.choice((-1, self.choose_contract()))
        lots = self.rng.choice((1, 3, 4096))
        return {"kind": Kind.SWEEP, "contract_idx": contract_idx, "qty_lots": lots}

    def _account(self) -> int:
        return self.rng.randrange(max(1, len(self.ex.accounts)))

    def _group(self) -> int:
        return self.rng.choice((0, 0, 1, QUOTE_GROUPS - 1))


def healing(fields: Fields) -> Fields | None:
    """Return what puts a command right that leaves the market with little to say."""
    if fields["kind"] == Kind.HALT_EXCHANGE and fields.get("state"):
        return fields | {"state": 0}
    idx = fields.get("account_idx", 0)
    if fields["kind"] == Kind.KILL_ACCOUNT:
        return {"kind": Kind.SET_ACCOUNT, "account_idx": idx, "state": AccountState.ACTIVE}
    if fields["kind"] == Kind.SET_LIMITS:
        return {"kind": Kind.SET_LIMITS, "account_idx": idx}
    return None
