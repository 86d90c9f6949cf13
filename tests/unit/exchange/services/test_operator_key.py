"""The operator's key: made once, and waited for when the database restarts meanwhile."""

import json
import stat

import pytest

from exchange.io.errors import DatabaseUnavailable
from exchange.io.registry import Account, ApiKey, NewApiKey, Scope
from exchange.services.node import operator_key
from exchange.services.node.operator_key import RETRY_S, TIMEOUT_S, ensure_operator_key


class Registry:
    """Accounts and keys in memory."""

    def __init__(self) -> None:
        self.known: dict[str, ApiKey] = {}
        self.made = 0

    async def create(self, **wish) -> Account | NewApiKey:
        if "account_id" in wish:
            return Account(
                account_idx=0,
                account_id=wish["account_id"],
                name=wish["name"],
                kind=wish["kind"],
                created_at_ns=0,
                opened_seq=None,
            )
        self.made += 1
        key = ApiKey(
            key_id=f"wk_{self.made}",
            account_idx=0,
            account_id="operator",
            label="",
            scopes=wish["scopes"],
            ip_allow=(),
            expires_at_ns=None,
            revoked_at_ns=None,
            created_at_ns=0,
            secret=b"s",
            public_key=None,
        )
        self.known[key.key_id] = key
        return NewApiKey(key=key, secret_text="s")

    async def wait_open(self, account_idx: int, timeout_s: float) -> None:
        return None

    async def find(self, key_id: str) -> ApiKey | None:
        return self.known.get(key_id)


async def test_the_operators_key_is_made_once_and_follows_the_address(tmp_path):
    registry = Registry()
    for url in ("http://a", "http://b"):
        await ensure_operator_key(tmp_path, url, registry, registry)
    path = tmp_path / "admin.json"
    said = json.loads(path.read_text())
    assert said == {"url": "http://b", "account_id": "operator", "key": "wk_1", "secret": "s"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert registry.known["wk_1"].scopes == frozenset(Scope)


async def test_a_key_of_another_database_is_replaced(tmp_path):
    await ensure_operator_key(tmp_path, "http://a", Registry(), Registry())
    (tmp_path / "admin.json").write_text("not json")
    await ensure_operator_key(tmp_path, "http://a", Registry(), keys := Registry())
    assert keys.made == 1
    await ensure_operator_key(tmp_path, "http://a", Registry(), other := Registry())
    assert other.made == 1


# While the database restarts


class FakeTime:
    """A clock that only sleeping moves, in the place of both `time` and `asyncio`."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    def monotonic(self) -> float:
        return sum(self.slept_s)

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)


@pytest.fixture
def clock(monkeypatch):
    fake = FakeTime()
    monkeypatch.setattr(operator_key, "time", fake)
    monkeypatch.setattr(operator_key, "asyncio", fake)
    return fake


class Restarting(Registry):
    """Its database is away for so many calls."""

    def __init__(self, away: int) -> None:
        super().__init__()
        self.away = away

    async def create(self, **wish) -> Account | NewApiKey:
        if self.away:
            self.away -= 1
            raise DatabaseUnavailable("away")
        return await super().create(**wish)


class NeverOpened(Restarting):
    """The core never opens the account."""

    def __init__(self, away: int, clock: FakeTime) -> None:
        super().__init__(away)
        self.clock, self.waits_s = clock, []

    async def wait_open(self, account_idx: int, timeout_s: float) -> None:
        self.waits_s.append(timeout_s)
        await self.clock.sleep(timeout_s)
        raise DatabaseUnavailable("not open")


async def test_a_database_that_restarts_meanwhile_is_waited_for(tmp_path, clock):
    registry = Restarting(away=3)
    await ensure_operator_key(tmp_path, "http://a", registry, registry)
    assert json.loads((tmp_path / "admin.json").read_text())["key"] == "wk_1"
    assert registry.made == 1
    assert clock.slept_s == [RETRY_S] * 3


async def test_a_database_that_stays_away_ends_the_start_in_time(tmp_path, clock):
    registry = Restarting(away=10**9)
    with pytest.raises(DatabaseUnavailable, match="away"):
        await ensure_operator_key(tmp_path, "http://a", registry, registry)
    assert clock.monotonic() == TIMEOUT_S
    assert set(clock.slept_s) == {RETRY_S}
    assert not (tmp_path / "admin.json").exists()


async def test_an_account_that_is_never_opened_ends_the_start_in_the_same_time(tmp_path, clock):
    registry = NeverOpened(4, clock)
    with pytest.raises(DatabaseUnavailable, match="not open"):
        await ensure_operator_key(tmp_path, "http://a", registry, registry)
    assert registry.waits_s == [TIMEOUT_S - 4 * RETRY_S]
    assert clock.monotonic() == TIMEOUT_S
