"""Commands that run an exchange: serve, and demo with a simulated market."""

import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from wellhead.cli import interruptible, out
from wellhead.cli.exits import CliError, Exit
from wellhead.cli.starting import StartProgress

RoleName = Literal["engine", "gateway", "clearing", "market-data"]
LOG_NAME = "wellhead.log"  # of a demo: its terminal is for people
Background = Callable[[str], Coroutine[Any, Any, None]]


@Parameter(name="*", group="Node")
@dataclass(frozen=True, kw_only=True)
class NodeOptions:
    """Where a node keeps its files and listens; the environment says the rest."""

    data: Annotated[Path | None, Parameter(env_var="WELLHEAD_DATA_DIR")] = None
    """Data folder; ./.wellhead when not given."""

    host: Annotated[str | None, Parameter(env_var="WELLHEAD_HOST")] = None
    """Address to listen on; 127.0.0.1 when not given."""

    port: Annotated[int | None, Parameter(env_var="WELLHEAD_PORT")] = None
    """Port of the API; 8080 when not given, 0 for any free one."""

    json: bool = False
    """Say when it is ready as one JSON document a line."""


NODE = NodeOptions()


def serve(
    *,
    role: list[RoleName] | None = None,
    demo: bool = False,
    orders_per_second: float = 30.0,
    node: NodeOptions = NODE,
) -> None:
    """Start the exchange: everything in one process, clearing as its child.

    Parameters
    ----------
    role
        Run only this role; give it several times for several. Roles apart need
        WELLHEAD_DATABASE_URL and WELLHEAD_REDIS_URL.
    demo
        Add the simulated market, as `wellhead demo` does.
    orders_per_second
        With --demo: the pace of all simulated traders together.
    """
    if demo:
        _run(node, (), _demo(node, orders_per_second))
    else:
        _run(node, tuple(role or ()), None)


def demo(*, orders_per_second: float = 30.0, node: NodeOptions = NODE) -> None:
    """Start the exchange with a simulated market and two funded keys.

    Parameters
    ----------
    orders_per_second
        The pace of all simulated traders together.
    """
    _run(node, (), _demo(node, orders_per_second))


def _announcer(node: NodeOptions, log_file: Path | None) -> Callable[[str | None], None]:
    def announce(url: str | None) -> None:
        if node.json:
            out.line({"ready": True, "url": url, "docs": url and f"{url}/docs"})
        elif url is not None:
            logs = f"Logs {log_file}\n" if log_file else ""
            out.show(f"\nAPI  {url}/api/v1\nDocs {url}/docs\n{logs}")

    return announce


def _demo(node: NodeOptions, orders_per_second: float) -> Background:
    from wellhead.cli.demo.market import DemoMarket, Pace

    if not 0 < orders_per_second < math.inf:
        raise CliError(Exit.USAGE, "usage", "--orders-per-second is a number above zero")
    pace = Pace(orders_per_second)
    return DemoMarket(settings(node).data_dir, pace, as_json=node.json).run


def settings(node: NodeOptions, *, demo: bool = False) -> Any:
    """Return the exchange's settings: the options, and the environment for the rest.

    Args:
        demo: logs go to a file of the data folder, unless the environment names another.

    Errors:
        CliError: a value of the environment cannot be used.
    """
    from pydantic import ValidationError

    from exchange.config import Settings

    given: dict[str, Any] = {"data_dir": node.data, "host": node.host, "port": node.port}
    try:
        found = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        said = "; ".join(map(_setting, error.errors()))
        raise CliError(Exit.USAGE, "settings_invalid", said) from error
    if demo and found.log_file is None:
        return found.model_copy(update={"log_file": found.data_dir / LOG_NAME})
    return found


def _setting(error: Any) -> str:
    """Return what is wrong with one setting."""
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"WELLHEAD_{str(error['loc'][0]).upper()}: {said}"


def _run(node: NodeOptions, roles: tuple[str, ...], background: Background | None) -> None:
    with interruptible():
        found = settings(node, demo=background is not None)
        from exchange.config import Role
        from exchange.io.errors import Corrupt, EpochLost, StartRefused, Unavailable
        from exchange.services.node import serve

    progress = StartProgress(as_json=node.json)
    try:
        with progress:
            names = tuple(Role(name) for name in roles)
            serve(found, names, progress, background, _announcer(node, found.log_file))
    except StartRefused as error:
        raise CliError(Exit.UNAVAILABLE, "start_refused", str(error)) from error
    except Unavailable as error:
        raise CliError(Exit.UNAVAILABLE, "unavailable", str(error)) from error
    except EpochLost as error:
        raise CliError(Exit.UNAVAILABLE, "epoch_lost", str(error)) from error
    except Corrupt as error:
        raise CliError(Exit.DAMAGE, "damaged", str(error)) from error
