"""Registries and views in memory, true to their protocols, for tests of the API."""

import secrets
import time
from dataclasses import replace
from typing import Any

from exchange.io.bus_memory import MemoryBus
from exchange.io.errors import IdempotencyConflict, NotFound
from exchange.io.registry import Account, ApiKey, NewApiKey, Scope, Transfer, TransferStatus
from exchange.io.views import Fill, LedgerEntry, Page, SettlementSeen, Span, TransferRow
from exchange.rules.clearing_rows import SettlementRow
from exchange.rules.clearing_rows_life import AccrualRow
from exchange.rules.mirror import Mirror
from exchange.rules.settlement_run import Evidence, SettlementRun
from matching.codes import EventKind, Kind
from tests.support.rows import command


class MemoryAccounts:
    """Accounts; opened in the core by commands of the exchange itself."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self.rows: list[Account] = []

    async def create(self, *, account_id: str, name: str, kind: str = "customer") -> Account:
        for account in self.rows:
            if account.account_id == account_id:
                if (account.name, account.kind) != (name, kind):
                    raise IdempotencyConflict(account_id)
                return account
        account = Account(
            account_idx=len(self.rows),
            account_id=account_id,
            name=name,
            kind=kind,
            created_at_ns=time.time_ns(),
            opened_seq=None,
        )
        self.rows.append(account)
        return account

    async def wait_open(self, account_idx: int, timeout_s: float = 10.0) -> Account:
        account = self.rows[account_idx]
        if account.opened_seq is None:
            row = command(Kind.OPEN_ACCOUNT, account_idx=account_idx)
            events = await self._world.command(row)
            account = replace(account, opened_seq=int(events[0]["seq"]))
            self.rows[account_idx] = account
        return account

    async def get(self, account_id: str) -> Account | None:
        return next((a for a in self.rows if a.account_id == account_id), None)

    async def by_idx(self, account_idx: int) -> Account | None:
        return self.rows[account_idx] if account_idx < len(self.rows) else None

    async def list(self, *, after_idx: int = -1, limit: int = 1000) -> list[Account]:
        return self.rows[after_idx + 1 : after_idx + 1 + limit]


class MemoryKeys:
    """API keys."""

    def __init__(self, accounts: MemoryAccounts) -> None:
        self._accounts = accounts
        self.rows: dict[str, ApiKey] = {}

    async def create(
        self,
        *,
        account_idx: int,
        label: str = "",
        scopes: frozenset[Scope] = frozenset({Scope.READ}),
        ip_allow: tuple[str, ...] = (),
        expires_at_ns: int | None = None,
        public_key: bytes | None = None,
    ) -> NewApiKey:
        account = await self._accounts.by_idx(account_idx)
        if account is None:
            raise NotFound("account")
        text = None if public_key else secrets.token_urlsafe(32)
        key = ApiKey(
            key_id=f"key-{secrets.token_hex(6)}",
            account_idx=account_idx,
            account_id=account.account_id,
            label=label,
            scopes=scopes,
            ip_allow=ip_allow,
            expires_at_ns=expires_at_ns,
            revoked_at_ns=None,
            created_at_ns=time.time_ns(),
            secret=text.encode() if text else None,
            public_key=public_key,
        )
        self.rows[key.key_id] = key
        return NewApiKey(key=key, secret_text=text)

    async def find(self, key_id: str) -> ApiKey | None:
        return self.rows.get(key_id)

    async def list(self, account_idx: int) -> list[ApiKey]:
        return [replace(k, secret=None) for k in self.rows.values() if k.account_idx == account_idx]

    async def revoke(self, key_id: str) -> ApiKey:
        if key_id not in self.rows:
            raise NotFound("no such key")
        self.rows[key_id] = replace(self.rows[key_id], revoked_at_ns=time.time_ns())
        return self.rows[key_id]


class MemorySignatures:
    """Signatures seen; shared by several gateways when they share the object."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, bytes]] = set()

    async def claim(self, key_id: str, signature: bytes, expires_at_ns: int) -> bool:
        if (key_id, signature) in self.seen:
            return False
        self.seen.add((key_id, signature))
        return True


class MemoryTransfers:
    """Transfers, carried out at once."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self.rows: list[Transfer] = []

    async def request(
        self, *, account_idx: int, amount_usd_micros: int, client_key: str,
        to_account_idx: int | None = None,
    ) -> Transfer:  # fmt: skip
        for one in self.rows:
            if one.client_key == client_key:
                if (one.account_idx, one.amount_usd_micros) != (account_idx, amount_usd_micros):
                    raise IdempotencyConflict(client_key)
                return one
        number = len(self.rows) + 1
        kind = Kind.DEPOSIT if amount_usd_micros > 0 else Kind.WITHDRAW
        if to_account_idx is not None:
            kind = Kind.SEND_CASH
        row = command(
            kind, account_idx=account_idx, amount_usd_micros=abs(amount_usd_micros), ref_id=number,
            order_id=to_account_idx or 0,
        )  # fmt: skip
        first = (await self._world.command(row))[0]
        refused = first["kind"] == EventKind.REFUSED
        transfer = Transfer(
            transfer_id=number,
            account_idx=account_idx,
            amount_usd_micros=amount_usd_micros,
            client_key=client_key,
            status=TransferStatus.REFUSED if refused else TransferStatus.DONE,
            ref_id=number,
            code=int(first["code"]) if refused else None,
            seq=int(first["seq"]),
            created_at_ns=time.time_ns(),
        )
        self.rows.append(transfer)
        return transfer

    async def get(self, transfer_id: int) -> Transfer | None:
        return next((t for t in self.rows if t.transfer_id == transfer_id), None)

    async def wait_decided(self, transfer_id: int, timeout_s: float = 10.0) -> Transfer:
        return self.rows[transfer_id - 1]

    async def list(
        self, account_idx: int, *, before_id: int | None = None, limit: int = 100
    ) -> list[Transfer]:
        return [t for t in reversed(self.rows) if t.account_idx == account_idx][:limit]


class MemorySettlements:
    """What settlement prices come from: one run of one contract."""

    async def run(self, run_id: str) -> SettlementRun | None:
        found = SettlementRun(7, (EVIDENCE,))
        return found if run_id in ("ab" * 32, found.run_id) else None

    async def accruals(self, contract_idx: int) -> list[AccrualRow]:
        return [ACCRUAL] if contract_idx == 0 else []


ACCRUAL = AccrualRow(0, 9, 1, 10**18, 0, 31, False, 1_488_000_000, 5, 0, "00" * 32)


EVIDENCE = Evidence(contract_idx=0, symbol="H100-USE-2027M03", settle_ticks=2000, mark_ticks=2000,
                    day_bps=300, lots=20, tick_lots=40_000)  # fmt: skip


class MemoryViews:
    """Views made of what a mirror that began empty remembers; never behind."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    async def reach(self, seq: int, timeout_s: float) -> int:
        return self._mirror.seq

    async def order(self, account_idx: int, order_id: int) -> None:
        return None

    async def order_by_client(self, account_idx: int, client_order_id: str) -> None:
        return None

    def _page(self, rows: list[Any], span: Span) -> Page[Any]:
        return Page(self._mirror.seq, rows[: span.limit], None)

    async def orders(self, account_idx: int, span: Span, **_: Any) -> Page[Any]:
        return self._page([], span)

    async def trades(self, contract_idx: int, span: Span, **_: Any) -> Page[Any]:
        return self._page([], span)

    async def ledger(self, account_idx: int, span: Span, **_: Any) -> Page[LedgerEntry]:
        cash = self._mirror.accounts[account_idx].cash_usd_micros
        entry = LedgerEntry(1, 1, 1, 0, "deposit", 1, cash, cash, self._mirror.ts_ns)
        return self._page([entry], span)

    async def transfer(self, transfer_id: int) -> list[TransferRow]:
        cash = self._mirror.accounts[0].cash_usd_micros
        first = (transfer_id, 1, 0, "deposit", 1, self._mirror.ts_ns)
        return (
            []
            if transfer_id > 1
            else [
                TransferRow(*first, "deposits:usd", None, 1, -cash, -cash),
                TransferRow(*first, "cash:0", "alice", 1, cash, cash),
            ]
        )

    async def statement(self, account_idx: int, span: Span) -> Page[TransferRow]:
        cash = self._mirror.accounts[account_idx].cash_usd_micros
        row = TransferRow(
            1, 1, 0, "deposit", 1, self._mirror.ts_ns, f"cash:{account_idx}", "alice", 1, cash, cash
        )
        return self._page([row], span)

    async def klines(self, contract_idx: int, interval_s: int, span: Span) -> Page[Any]:
        return self._page([], span)

    async def settlements(self, span: Span, **_: Any) -> Page[Any]:
        now_ns = self._mirror.ts_ns
        row = SettlementRow(0, 1, now_ns, 2000, 2000, 0, 0, 0, 0, 0, now_ns, 1, 0, "ab" * 32)
        return self._page([SettlementSeen(row, 1, EVIDENCE)], span)

    async def fills(self, account_idx: int, span: Span, **_: Any) -> Page[Fill]:
        rows = [
            Fill(
                account_idx, one.seq, one.leg, one.side, one.maker_account_idx == account_idx,
                one.contract_idx, one.order_id, one.price_ticks, one.qty_lots, one.qty_lots, 0,
                one.ts_ns, None, one.block,
            )
            for contract in self._mirror.contracts
            for one in contract.trades
            if account_idx in (one.account_idx, one.maker_account_idx)
        ]  # fmt: skip
        return self._page(rows, span)


class LossyBus(MemoryBus):
    """A bus that loses what `lose` says: given the number of a send or of a publication."""

    def __init__(self) -> None:
        super().__init__()
        self.sends = 0
        self.lost = 0
        self.lose_send: set[int] = set()

    def try_send(self, row: bytes) -> bool:
        """Send nothing at once: what is to be lost goes through `send`, as over a network."""
        return False

    async def send(self, rows: Any) -> None:
        self.sends += 1
        if self.sends in self.lose_send:
            self.lost += 1
            return
        await super().send(rows)
