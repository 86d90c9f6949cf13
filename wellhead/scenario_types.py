"""Answers about margin scenarios; `types.py` has the rest."""

from decimal import Decimal

from wellhead.types import Answer


class ScenarioSetRow(Answer, frozen=True, kw_only=True):
    """A published set; `error_max_ppm` is what compression takes off a requirement at most."""

    set_id: str
    day: str
    inputs_hash: str
    rows_hash: str
    matrix_hash: str
    scenario_count: int
    worst_count: int
    error_max_ppm: int = 0
    built_ts: int = 0
    chosen_ts: int | None = None


class ScenarioRow(Answer, frozen=True, kw_only=True):
    """One scenario and its story."""

    name: str
    kind: str
    story: str
    source: str
    shape: str
    twists_ppm: list[int]
    fronts_ppm: dict[str, dict[str, int]]


class Addons(Answer, frozen=True, kw_only=True):
    """Add-ons that belong to a set, and what they were made of; of one lot, in micro-dollars.

    Attributes:
        markets: symbol, settlement price in ticks, spread in ticks (0: a side was missing), lots
            traded in the 30 days before, open interest.
        addons: symbol, a day's move in basis points, half spread, impact, fee, lots of a day's
            volume, lots that close within the margin period, lots that are a crowd.
    """

    day: str
    addons_hash: str
    markets: list[tuple[str, int, int, int, int]]
    addons: list[tuple[str, int, int, int, int, int, int, int]]


class ScenarioSet(Answer, frozen=True, kw_only=True):
    """A set with all its rows."""

    set_id: str
    day: str
    inputs_hash: str
    rows_hash: str
    matrix_hash: str
    scenario_count: int
    worst_count: int
    data_until: str
    full_count: int
    windows_count: int
    moved_count: int
    error: dict[str, dict[str, int]]
    rows: list[ScenarioRow]
    prices_ticks: list[tuple[str, int]]
    addons: Addons | None = None
    built_ts: int = 0
    chosen_ts: int | None = None


class ContractShocks(Answer, frozen=True, kw_only=True):
    """The profit of one long lot in each scenario, in micro-dollars."""

    symbol: str
    shocks_usd_micros: list[int]


class Matrix(Answer, frozen=True, kw_only=True):
    """A margin matrix and its hash."""

    matrix_hash: str
    scenario_count: int
    contracts: list[ContractShocks]


class ShortAccount(Answer, frozen=True, kw_only=True):
    """An account whose equity would not cover what is required of it."""

    account_id: str
    equity: Decimal
    price_loss: Decimal
    required_before: Decimal
    required_after: Decimal
    shortfall: Decimal
    was_short: bool


class DryRun(Answer, frozen=True, kw_only=True):
    """What a swap of scenarios would do to everybody."""

    as_of_seq: int
    accounts_count: int
    short_count: int
    required_before: Decimal
    required_after: Decimal
    shortfall: Decimal
    short: list[ShortAccount]


class Swap(Answer, frozen=True, kw_only=True):
    """A set that was chosen; `is_live` once every account is margined with it."""

    set_id: str
    is_live: bool
    dry_run: DryRun
