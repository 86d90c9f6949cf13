"""Prepare the demo market: accounts, money, keys. Doing it again changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wellhead.cli.demo import rules
from wellhead.client import Client
from wellhead.credentials import Profile, read_profile, write_profile
from wellhead.errors import AuthFailed
from wellhead.signing import Credentials

MAKER_FUNDS_USD = "100000000"
TAKER_FUNDS_USD = "10000000"
TRADER_FUNDS_USD = "1000000"
TRADERS = ("alice-demo", "bob-demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One account the demo market needs."""

    account_id: str
    name: str
    kind: str
    funds_usd: str
    path: Path  # of its key


@dataclass(frozen=True, slots=True)
class Ready:
    """An account that is there, funded, and has a key that works."""

    account_id: str
    profile: Profile
    new_key: bool


def plans(data: Path) -> Iterator[Plan]:
    """Yield the accounts: the simulated ones, then two for people."""
    simulated = [(name, MAKER_FUNDS_USD) for name in rules.makers()]
    simulated += [(name, TAKER_FUNDS_USD) for name in rules.takers()]
    for name, funds_usd in simulated:
        yield Plan(
            account_id=name,
            name=f"SIMULATED: {name.replace('-', ' ')}",
            kind=rules.KIND,
            funds_usd=funds_usd,
            path=data / "simulated" / f"{name}.json",
        )
    for name in TRADERS:
        yield Plan(
            account_id=name,
            name=name.split("-")[0].title(),
            kind="customer",
            funds_usd=TRADER_FUNDS_USD,
            path=data / "profiles" / f"{name}.json",
        )


def set_up(operator: Client, data: Path) -> list[Ready]:
    """Open and fund every account, and see that each has a key that works."""
    return [_ready(operator, plan) for plan in plans(data)]


def _ready(operator: Client, plan: Plan) -> Ready:
    operator.create_account(plan.name, account_id=plan.account_id, kind=plan.kind)
    # The same transfer id every time: the money is booked once.
    operator.deposit(plan.account_id, plan.funds_usd, transfer_id=f"demo-{plan.account_id}")
    if plan.path.exists():
        profile = read_profile(plan.path)
        if _works(operator.url, profile.credentials):
            return Ready(plan.account_id, profile, new_key=False)
        plan.path.unlink()
    made = operator.create_key(plan.account_id, scopes=("read", "trade"), label="demo market")
    assert made.secret is not None, "a new key comes with its secret"
    credentials = Credentials(made.key, made.secret)
    write_profile(plan.path, credentials, account_id=plan.account_id)
    return Ready(plan.account_id, read_profile(plan.path), new_key=True)


def _works(url: str, found: Credentials) -> bool:
    with Client(url, found.key, found.secret) as client:
        try:
            client.keys()
        except AuthFailed:  # of an exchange that is no more: its data were thrown away
            return False
    return True
