"""The peers' own environment: made once, each peer installed from its hashed lock."""

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.peers.catalogue import Engine

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "peers"
TIMEOUT_S = 300
Say = Callable[[str], None]


class NoPeers(Exception):
    """Not one peer could be installed: most likely nobody answers."""


def python_of(folder: Path = FOLDER) -> Path:
    """Return the interpreter of the peers' environment."""
    return folder / "bin" / "python"


def install(peers: Sequence[Engine], say: Say, folder: Path = FOLDER) -> dict[str, str]:
    """Install what is not there yet; return why by the name of each peer that cannot be had.

    Errors:
        NoPeers: there is none at all.
    """
    if not python_of(folder).exists():
        say(f"making {folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder}")
        venv.create(folder, with_pip=True)
    failed: dict[str, str] = {}
    for peer in peers:
        reason = install_one(peer, say, folder)
        if reason:
            failed[peer.name] = reason
    if peers and len(failed) == len(peers):
        raise NoPeers(
            "no peer could be installed; is a package index within reach? "
            f"{peers[0].name}: {failed[peers[0].name]}"
        )
    return failed


def install_one(peer: Engine, say: Say, folder: Path) -> str:
    """Install one peer unless its lock was installed before; return why not, or nothing."""
    assert peer.lock is not None
    stamp = folder / f".{peer.name}-{hashlib.sha256(peer.lock.read_bytes()).hexdigest()[:16]}"
    if stamp.exists():
        return ""
    say(f"installing {peer.name} {peer.version}")
    command = [
        str(python_of(folder)), "-m", "pip", "--disable-pip-version-check", "--no-input",
        "install", "--quiet", "--retries", "1", "--timeout", "15",
        "--require-hashes", "--no-deps", "-r", str(peer.lock),
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, env=_environment()
        )
    except subprocess.TimeoutExpired:
        return f"pip did not end within {TIMEOUT_S} s"
    if done.returncode:
        return reason_of(done.stderr)
    stamp.touch()
    return ""


def reason_of(text: str) -> str:
    """Return the line of pip's output that says what is wrong."""
    errors = [line for line in text.splitlines() if line.lower().startswith("error")]
    lines = errors or text.strip().splitlines() or ["pip failed and said nothing"]
    return lines[-1].removeprefix("ERROR: ").strip()


def _environment() -> dict[str, str]:
    """Return the environment without what would lead Python to our own packages."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}


def interpreter(engine: Engine, folder: Path = FOLDER) -> tuple[str, dict[str, str]]:
    """Return which Python runs an engine, and with which environment."""
    if engine.lock is None:
        return sys.executable, _environment() | {"PYTHONPATH": str(ROOT)}
    return str(python_of(folder)), _environment()
