"""`wellhead bench start`: from the command line to the first moment orders are taken.

Cold is a machine that has never run it: no compiled kernels, no data folder. Warm is every start
after the first.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from exchange.services.bench_figures import Tell, figure

COLD_RUNS: Final = 3
WARM_RUNS: Final = 5
COLD_GOAL_S: Final = 60.0
WARM_GOAL_S: Final = 5.0
TIMEOUT_S: Final = 600.0
POLL_S: Final = 0.005
COMMAND: Final = (sys.executable, "-c", "from wellhead.cli import main; main()", "serve")


def run(tell: Tell, *, quick: bool = False) -> dict[str, Any]:
    """Measure; return the figures. Quick measures the warm start alone, once."""
    cold_runs, warm_runs = (0, 1) if quick else (COLD_RUNS, WARM_RUNS)
    cold: list[float] = []
    warm: list[float] = []
    with tempfile.TemporaryDirectory(prefix="wellhead-bench-") as name:
        home = Path(name)
        home.chmod(0o755)  # Postgres may run as another user
        cache = None if quick else home / "cache 0"
        for number in range(cold_runs):
            tell("cold starts", number, cold_runs)
            cache = home / f"cache {number}"
            cold.append(start_s(home / f"data {number}", cache))
        start_s(home / "data", cache)
        for number in range(warm_runs):
            tell("warm starts", number, warm_runs)
            warm.append(start_s(home / "data", cache))
    figures = [figure("warm start", "s", warm, WARM_GOAL_S, "kernels compiled, data folder there")]
    if cold:
        workload = "no compiled kernels, no data folder: database made, contracts listed"
        figures.insert(0, figure("cold start", "s", cold, COLD_GOAL_S, workload))
    return {"figures": figures, "notes": []}


def start_s(data: Path, cache: Path | None) -> float:
    """Start an exchange, stop it again, and return how long it took until it took orders.

    Errors:
        RuntimeError: it did not start.
    """
    names = {"WELLHEAD_DATA_DIR": str(data), "WELLHEAD_PORT": "0"}
    if cache is not None:
        names["WELLHEAD_CACHE_DIR"] = str(cache)
    started_s = time.perf_counter()
    process = subprocess.Popen(
        COMMAND,
        env=os.environ | names,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not _takes_orders(data, process.pid):
            if process.poll() is not None:
                raise RuntimeError(f"the exchange ended with {process.returncode}")
            if time.perf_counter() - started_s > TIMEOUT_S:
                raise RuntimeError(f"the exchange did not start within {TIMEOUT_S:.0f} s")
            time.sleep(POLL_S)
        return time.perf_counter() - started_s
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(TIMEOUT_S)


def _takes_orders(data: Path, pid: int) -> bool:
    try:
        said = json.loads((data / "instance.lock").read_text())
        if said["pid"] != pid or said["api_url"] is None:
            return False
        with urllib.request.urlopen(f"{said['api_url']}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError, KeyError):
        return False
