"""Blocks and requests for quotes, drawn so that proposals meet their counterparties."""

from collections.abc import Callable
from random import Random

from matching.codes import DealKind, Kind, Side
from matching.limits import DEAL_TTL_NS_MAX, QTY_LOTS_MAX, gross_tick_value_max
from matching.wire import pack_text
from tests.oracle import risk
from tests.oracle.state import Deal, Exchange
from tests.sim.profile import Profile

Fields = dict[str, int]
WORDS = ("client_a", "client_b", "client_c", "client_d")


class Dealer:
    """Draws what members say to one another."""

    def __init__(
        self, rng: Random, profile: Profile, ex: Exchange, choose_contract: Callable[[], int]
    ) -> None:
        self.rng = rng
        self.profile = profile
        self.ex = ex
        self.choose_contract = choose_contract
        self.sent: list[Fields] = []  # proposals and requests with a client id, to be repeated
        self.waiting: list[Fields] = []  # of one who says more than it may

    def propose(self) -> Fields:
        rng, ex = self.rng, self.ex
        if self.sent and rng.random() < 0.06:
            return dict(rng.choice(self.sent)) | rng.choice(({}, {}, {"qty_lots": 7}))
        requests = [deal for deal in ex.deals if deal.kind == DealKind.QUOTES]
        contract_idx, side, most = self.choose_contract(), rng.choice(tuple(Side)), 0
        fields: Fields = {"kind": Kind.PROPOSE, "account_idx": self._account()}
        if requests and rng.random() < 0.4:
            request = rng.choice(requests)
            fields["order_id"], contract_idx = request.deal_id, request.contract_idx
            most = request.qty_lots + rng.choice((0, 0, 0, 1))
            if request.side and rng.random() < 0.95:
                side = Side.SELL if request.side == 1 else Side.BUY
        else:
            fields["ref_id"] = rng.randrange(-1, len(ex.accounts) + 1)
            if rng.random() < 0.9:
                fields["ref_id"] = self._account()
        contract = ex.contracts[contract_idx]
        lots = contract.block_min_lots + rng.choice((0, 0, 1, -1, rng.randrange(20)))
        if self.profile.whale and not most and rng.random() < 0.5:
            return self._beyond_bounds(contract_idx)
        fields |= {
            "contract_idx": contract_idx,
            "side": side,
            "state": rng.choice((DealKind.BLOCK, DealKind.BLOCK, DealKind.EFP)),
            "price_ticks": self._price(contract_idx),
            "qty_lots": min(lots, most) if most else lots,
            "expires_ns": self._end_ns(),
        }
        return fields | self._client(fields)

    def _beyond_bounds(self, contract_idx: int) -> Fields:
        """Propose what the largest account may not have any more, to the smallest."""
        ex, contract = self.ex, self.ex.contracts[contract_idx]
        tick_value = contract.tick_value_usd_micros
        gross = [risk.gross_tick_value(ex, idx) for idx in range(len(ex.accounts))]
        left = gross_tick_value_max(ex.capacity.price_bits) - max(gross)
        return {
            "kind": Kind.PROPOSE,
            "account_idx": gross.index(max(gross)),
            "ref_id": gross.index(min(gross)),
            "contract_idx": contract_idx,
            "side": self.rng.choice(tuple(Side)),
            "price_ticks": (contract.day_prices or [contract.mark_ticks])[0],
            "qty_lots": min(QTY_LOTS_MAX, max(0, left) // tick_value + self.rng.choice((0, 1))),
            "expires_ns": ex.now_ns + DEAL_TTL_NS_MAX // 2,
        }

    def ask(self) -> Fields:
        rng = self.rng
        fields: Fields = {
            "kind": Kind.REQUEST_QUOTES,
            "account_idx": self._account() if rng.random() < 0.6 else 0,
            "contract_idx": self.choose_contract(),
            "state": rng.choice((0, 1, 2)),
            "qty_lots": rng.randint(1, 3 * self.profile.qty_usual_lots),
            "expires_ns": self._end_ns(),
        }
        return fields | self._client(fields)

    def flood(self) -> Fields:
        """Ask, and propose, more often than one account may."""
        rng, account_idx, contract_idx = self.rng, self._account(), self.choose_contract()
        contract = self.ex.contracts[contract_idx]
        common = {
            "account_idx": account_idx,
            "contract_idx": contract_idx,
            "qty_lots": max(1, contract.block_min_lots),
            "expires_ns": self.ex.now_ns + DEAL_TTL_NS_MAX // 2,
        }
        asking: Fields = {"kind": Kind.REQUEST_QUOTES, **common}
        proposing: Fields = {
            "kind": Kind.PROPOSE,
            **common,
            "ref_id": (account_idx + 1) % max(1, len(self.ex.accounts)),
            "price_ticks": contract.day_prices[0] if contract.day_prices else contract.mark_ticks,
        }
        self.waiting = [proposing] * rng.choice((0, 10)) + [asking] * 11
        return asking

    def accept(self) -> Fields:
        """Accept, mostly what was proposed to the account, mostly what proposes something."""
        ex, odd = self.ex, self.rng.random() < 0.4
        deal = self._deal(lambda one: one.kind != DealKind.QUOTES)
        if odd:  # whose initiator may not, or may not so much
            accounts, large = ex.accounts, 1 << 16 if self.profile.whale else 1 << 30
            deal = (
                self._deal(
                    lambda one: (
                        one.kind != DealKind.QUOTES
                        and (accounts[one.account_idx].state != 0 or one.qty_lots > large)
                    )
                )
                or deal
            )
        if deal is None:
            return self.propose()
        account_idx = deal.counterparty_idx if self.rng.random() < 0.95 else self._account()
        return {"kind": Kind.ACCEPT, "account_idx": account_idx, "order_id": deal.deal_id}

    def decline(self) -> Fields:
        deal = self._deal(lambda one: True)
        if deal is None:
            return self.ask()
        whose = self.rng.choice((deal.account_idx, deal.counterparty_idx, self._account()))
        return {"kind": Kind.DECLINE, "account_idx": whose, "order_id": deal.deal_id}

    def set_blocks(self) -> Fields:
        rng = self.rng
        return {
            "kind": Kind.SET_BLOCKS,
            "contract_idx": self.choose_contract(),
            "qty_lots": rng.choice((0, 1, 2, 10, -1)),
            "order_id": rng.choice((0, 200, 200, 1_000, 10_000, 10_001)),
        }

    def _account(self) -> int:
        return self.rng.randrange(max(1, len(self.ex.accounts)))

    def _deal(self, wanted: Callable[[Deal], bool]) -> Deal | None:
        found = [deal for deal in self.ex.deals if wanted(deal)]
        return self.rng.choice(found) if found else None

    def _end_ns(self) -> int:
        """Soon, within hours, or never quite allowed."""
        lives_ns = self.rng.choice((0, 500, 20_000, DEAL_TTL_NS_MAX // 2, DEAL_TTL_NS_MAX))
        return self.ex.now_ns + self.rng.randint(0, lives_ns) + 1

    def _price(self, contract_idx: int) -> int:
        """In the day's range, at its widened edge, or one tick beyond."""
        rng, contract = self.rng, self.ex.contracts[contract_idx]
        prices = contract.day_prices or [contract.mark_ticks]
        low, high = min(prices), max(prices)
        if rng.random() < 0.6:
            return rng.randint(low, high)
        edges = (
            low - low * contract.block_range_bps // 10_000,
            high + high * contract.block_range_bps // 10_000,
        )
        return min(
            (1 << self.ex.capacity.price_bits) - 1, rng.choice(edges) + rng.choice((-1, 0, 0, 1))
        )

    def _client(self, fields: Fields) -> Fields:
        if self.rng.random() < 0.7:
            return {}
        words = dict(zip(WORDS, pack_text(f"d{self.rng.randrange(12)}"), strict=True))
        self.sent = [*self.sent[-20:], fields | words]
        return words
