"""What the exchange answers about margin scenarios, as shapes; see `shapes.py`."""

from typing import Any

from api.shapes import Answer, Part


class ScenarioSetRow(Part):
    """A published set without its rows; `error_max_ppm` is what compression takes off at most."""

    set_id: str
    day: str
    inputs_hash: str
    rows_hash: str
    matrix_hash: str
    scenario_count: int
    worst_count: int
    error_max_ppm: int
    built_ts: int
    chosen_ts: int | None


class LiveScenarios(Part):
    """What orders are margined with now; no set: the named stories alone."""

    set_id: str | None
    scenario_count: int
    worst_count: int
    matrix_hash: str


class ScenarioSetsAnswer(Answer):
    """Sets, newest first."""

    scenario_sets: list[ScenarioSetRow]
    live: LiveScenarios
    next_cursor: str | None


class ScenarioRow(Part):
    """One scenario: what it does to the front of each SKU at each hub, in millionths."""

    name: str
    kind: str
    story: str
    source: str
    shape: str
    twists_ppm: list[int]
    fronts_ppm: dict[str, dict[str, int]]


class Addons(Part):
    """Add-ons that belong to a set, and what they were made of; of one lot, in micro-dollars.

    Attributes:
        markets: symbol, settlement price in ticks, spread in ticks (0: a side was missing), lots
            traded in the 30 days before, open interest.
        addons: symbol, a day's move in basis points, half spread, impact, fee, lots of a day's
            volume, lots that close within the margin period, lots that are a crowd.
    """

    method: int
    day: str
    rows_hash: str
    markets: list[tuple[str, int, int, int, int]]
    addons: list[tuple[str, int, int, int, int, int, int, int]]
    addons_hash: str


class ScenarioSet(Part):
    """A published set: from this anybody computes the shocks of any contract at any price."""

    set_id: str
    built_ts: int
    chosen_ts: int | None
    method: int
    day: str
    scenario_count: int
    worst_count: int
    inputs_hash: str
    rows_hash: str
    matrix_hash: str
    data_until: str
    full_count: int
    windows_count: int
    moved_count: int
    error: dict[str, dict[str, int]]
    rows: list[ScenarioRow]
    curve: dict[str, Any]
    prices_ticks: list[tuple[str, int]]
    addons: Addons | None


class ScenarioSetAnswer(Answer):
    """One set."""

    scenario_set: ScenarioSet


class ContractShocks(Part):
    """The profit of one long lot of a contract in each scenario, in micro-dollars."""

    symbol: str
    shocks_usd_micros: list[str]


class Matrix(Part):
    """A margin matrix and its hash."""

    matrix_hash: str
    scenario_count: int
    contracts: list[ContractShocks]


class MatrixAnswer(Answer):
    """A margin matrix."""

    matrix: Matrix


class ShortAccount(Part):
    """An account whose equity would not cover what is required of it."""

    account_id: str
    equity: str
    price_loss: str
    required_before: str
    required_after: str
    shortfall: str
    was_short: bool


class DryRun(Part):
    """What a swap would do to everybody; at most 1,000 accounts are shown."""

    as_of_seq: int
    accounts_count: int
    short_count: int
    required_before: str
    required_after: str
    shortfall: str
    short: list[ShortAccount]


class DryRunAnswer(Answer):
    """A dry run."""

    dry_run: DryRun


class ScenariosBuiltAnswer(Answer):
    """A set that was built, or found built, and what a swap to it would do."""

    scenario_set: ScenarioSet
    dry_run: DryRun


class ScenariosSwapAnswer(Answer):
    """A set that was chosen; `is_live` once every account is margined with it."""

    set_id: str
    is_live: bool
    dry_run: DryRun
