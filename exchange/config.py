"""One frozen settings object, read from the environment once at the start.

Every name is `WELLHEAD_` + the field in capitals: `WELLHEAD_PORT=9000`.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from exchange.rules.addresses import inside_host
from exchange.rules.legs import Listed
from exchange.rules.sessions import CALL_S_MAX, CALLS


class Role(StrEnum):
    """What one process does. Without any, it does everything."""

    ENGINE = "engine"  # sequencer, calendar, outbox: one leader, any number of standbys
    GATEWAY = "gateway"  # the public API
    CLEARING = "clearing"  # ledger and views
    MARKET_DATA = "market-data"  # klines, tickers and their fan-out


class Settings(BaseSettings):
    """Where things are and how large; nothing a rule of the market depends on."""

    model_config = SettingsConfigDict(env_prefix="WELLHEAD_", frozen=True, extra="forbid")

    data_dir: Path = Path(".wellhead")
    database_url: SecretStr | None = None  # None: embedded Postgres under data_dir
    redis_url: SecretStr | None = None  # None: MemoryBus, everything in one process
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080  # 0: any free one
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0  # 0: no metrics server
    roles: Annotated[tuple[Role, ...], NoDecode] = ()  # empty: all of them in one process
    log_level: Literal["debug", "info", "warning", "error", "critical"] = "info"
    # Where logs go; None: stderr. With a file, stderr still hears errors.
    log_file: Path | None = None
    # The key that api secrets are encrypted with; None: a file of the data folder.
    secret_key: SecretStr | None = None
    # The user embedded Postgres runs as when we are root: it refuses to be root.
    postgres_user: str = "nobody"
    snapshot_every_commands: Annotated[int, Field(gt=0)] = 200_000
    hash_every_commands: Annotated[int, Field(gt=0)] = 200_000
    # Which spreads and strips are listed: none, front (the nearest of two series), all.
    list_combinations: Listed = Listed.NONE
    # How long calls of the calendar last at least, in seconds; 0: none. A new contract opens with
    # one, and one comes before a daily settlement that needs it.
    opening_call_s: Annotated[int, Field(ge=0, le=CALL_S_MAX)] = CALLS.opening_s
    closing_call_s: Annotated[int, Field(ge=0, le=CALL_S_MAX)] = CALLS.closing_s
    # Build and publish new margin scenarios after each daily settlement, and at the first start.
    build_scenarios: bool = True
    # Record the prices that ship with the package, once, at the first start.
    import_observations: bool = True
    # Sources that may be fetched (None: sources.json of the data folder), and the only hosts that
    # any of them may be on: `prices.example.com,api.example.org`.
    observation_sources: Path | None = None
    observation_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    # Hosts, as name:port, that webhooks may go to although they are not public:
    # `receiver.internal:8443`. All others must be public, on port 443.
    webhook_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    # Publish the index at 00:30 and 12:00 UTC, and what is missing of it at the first start.
    publish_index: bool = True
    # How long the engine looks for the next order rather than sleep, in microseconds, when orders
    # come one behind the other; 0: it always sleeps, which spares processor time.
    awake_us: Annotated[int, Field(ge=0, le=10_000)] = 300
    clearing_lag_commands_max: Annotated[int, Field(gt=0)] = 2_000_000
    trust_proxy_headers: bool = False
    # How long after it was traded a block stands on the public tape: at most 15 minutes.
    block_delay_s: Annotated[int, Field(ge=0, le=900)] = 900

    @field_validator("roles", mode="before")
    @classmethod
    def _split_roles(cls, value: object) -> object:
        """Read `engine,gateway` of an environment variable."""
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value

    @field_validator("observation_hosts", "webhook_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        """Read `a.example.com,b.example.com` of an environment variable."""
        if isinstance(value, str):
            return tuple(word.strip().lower() for word in value.split(",") if word.strip())
        return value

    @field_validator("webhook_hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what no webhook could ever match: each is `name:port`."""
        return tuple(inside_host(text) for text in value)

    @property
    def sources_path(self) -> Path:
        """Return where the sources of observations are written."""
        return self.observation_sources or self.data_dir / "sources.json"

    @property
    def all_in_one(self) -> bool:
        """Say whether this process runs every role (clearing as its child)."""
        return not self.roles or set(self.roles) == set(Role)

    def has_role(self, role: Role) -> bool:
        """Say whether this process runs `role`."""
        return self.all_in_one or role in self.roles
