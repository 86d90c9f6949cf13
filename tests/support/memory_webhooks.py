"""Webhooks without a database, for tests of the API: nothing is ever delivered."""

from dataclasses import replace

from exchange.io.errors import NotFound
from exchange.io.webhooks import DeliverySeen, HookSeen, NewHook, TooManyHooks
from exchange.rules.webhooks import HOOKS_MAX, PING

FIRST_ID = "wh_aaaaaaaaaaaaaaaa"  # of the third account, parked, with one delivery that failed
FAILED = DeliverySeen(
    delivery_id=1, event="fill", status="waiting", attempts=12, http_status=500, latency_ms=7,
    error="answered 500", created_ns=1, tried_ns=2,
)  # fmt: skip


class MemoryWebhooks:
    """Keeps hooks by account."""

    def __init__(self) -> None:
        first = NewHook(
            account_idx=2, url="https://a.example.com/x", events=["fill"], label="", created_by="k"
        )
        self.rows: dict[str, tuple[int, HookSeen]] = {}
        self.sent: dict[str, list[DeliverySeen]] = {}
        self._make(FIRST_ID, first, 1)
        self.rows[FIRST_ID] = (2, replace(self.rows[FIRST_ID][1], status="parked", failures=12))
        self.sent[FIRST_ID] = [FAILED]

    def _make(self, webhook_id: str, hook: NewHook, now_ns: int) -> None:
        self.sent[webhook_id] = []
        self.rows[webhook_id] = (
            hook.account_idx,
            HookSeen(
                webhook_id=webhook_id, url=hook.url, events=sorted(hook.events), label=hook.label,
                status="active", why="", failures=0, retry_ns=0, dropped=0,
                created_by=hook.created_by, created_ns=now_ns, rotated_ns=None, waiting_count=0,
            ),
        )  # fmt: skip

    async def create(self, hook: NewHook, now_ns: int) -> tuple[str, str]:
        if sum(idx == hook.account_idx for idx, _ in self.rows.values()) >= HOOKS_MAX:
            raise TooManyHooks("too many")
        number = len(self.sent)
        webhook_id = "wh_" + "abcdefghijklmnopqrstuvwxyz"[number % 26] * 16
        self._make(webhook_id, hook, now_ns)
        return webhook_id, "whs_secret"

    async def of_account(self, account_idx: int) -> list[HookSeen]:
        return [self._now(key) for key, (idx, _) in self.rows.items() if idx == account_idx]

    async def get(self, account_idx: int, webhook_id: str) -> HookSeen:
        if webhook_id not in self.rows or self.rows[webhook_id][0] != account_idx:
            raise NotFound("there is no such webhook of this account")
        return self._now(webhook_id)

    def _now(self, webhook_id: str) -> HookSeen:
        waiting = sum(one.status == "waiting" for one in self.sent[webhook_id])
        return replace(self.rows[webhook_id][1], waiting_count=waiting)

    async def rotate(self, account_idx: int, webhook_id: str, now_ns: int) -> str:
        hook = await self.get(account_idx, webhook_id)
        self.rows[webhook_id] = (account_idx, replace(hook, rotated_ns=now_ns))
        return "whs_another"

    async def resume(self, account_idx: int, webhook_id: str) -> None:
        hook = await self.get(account_idx, webhook_id)
        self.rows[webhook_id] = (account_idx, replace(hook, status="active", failures=0))

    async def remove(self, account_idx: int, webhook_id: str) -> None:
        await self.get(account_idx, webhook_id)
        del self.rows[webhook_id]

    async def ping(self, account_idx: int, webhook_id: str, now_ns: int) -> int:
        await self.get(account_idx, webhook_id)
        one = replace(
            FAILED, delivery_id=len(self.sent[webhook_id]) + 1, event=PING, attempts=0,
            http_status=None, latency_ms=None, error="", created_ns=now_ns, tried_ns=None,
        )  # fmt: skip
        self.sent[webhook_id].append(one)
        return one.delivery_id

    async def deliveries(
        self, account_idx: int, webhook_id: str, *, before_id: int | None = None, limit: int = 100
    ) -> list[DeliverySeen]:
        await self.get(account_idx, webhook_id)
        rows = self.sent[webhook_id][::-1]
        return [one for one in rows if before_id is None or one.delivery_id < before_id][:limit]
