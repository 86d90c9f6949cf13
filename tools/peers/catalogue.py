"""The engines of the table: ours, the plain book, and the peers that a package index offers."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCKS = HERE / "locks"


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine, and the adapter that calls it."""

    name: str
    adapter: Path
    what: str  # language, and how it is called
    lock: Path | None = None  # what to install for it; None where nothing is
    trades: bool = True  # it is an engine, and its trades are held against the right ones

    @property
    def version(self) -> str:
        """Return the locked version of a peer."""
        if self.lock is None:
            return ""
        line = next(line for line in self.lock.read_text().splitlines() if self.name in line)
        return line.partition("==")[2].split()[0]


def _ours(name: str, module: str, what: str) -> Engine:
    return Engine(f"wellhead, {name}", HERE / "ours" / f"{module}.py", what)


def _peer(name: str, what: str) -> Engine:
    adapter = HERE / "adapters" / f"{name.replace('-', '_')}.py"
    return Engine(name, adapter, what, LOCKS / f"{name}.txt")


OURS = (
    _ours("batches", "batches", "numba; 256 rows a call"),
    _ours("batches, margined", "margined", "numba; 256 rows a call, 64 scenarios an order"),
    _ours("one row", "one_row", "numba; `Engine.apply` of one row"),
)
PLAIN = Engine("plain book", HERE / "plain.py", "Python dicts and heaps, in this repository")
PEERS = (
    _peer("orderly-chaos", "C++ by ctypes"),
    _peer("liquibook", "C++ by SWIG"),
    _peer("litebook", "Rust by PyO3"),
    _peer("nanobook", "Rust by PyO3"),
    _peer("obook", "Go by ctypes; events fetched after each order"),
    _peer("cython-orderbook", "Cython"),
    _peer("lightmatchingengine", "Python"),
    _peer("pyorderbook", "Python, Decimal prices"),
    _peer("manticore-orderbook", "Python"),
    _peer("order-matching", "Python; placed, then matched"),
)
LOOP = Engine(
    "(the loop alone)",
    HERE / "adapters" / "loop_alone.py",
    "no engine: an empty call",
    trades=False,
)

# Looked at by hand, and why they are not run.
LEFT_OUT = {
    "fastlob 0.0.24": "its answers name no makers: trades cannot be compared",
    "limit-order-book 2.0.0": "tells of no trades; later versions want a newer Python",
    "matching-engine 0.1.1": "wants Python 3.12 or later",
    "orderbook 0.1.2": "written for Python 2: it does not import",
    "pylob 0.2.8": "does not build: its source package lacks a header of its own",
}
