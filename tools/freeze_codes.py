#!/usr/bin/env python3
"""Append the new codes of the wire to the frozen table; never change a line of it."""

import importlib
from enum import IntEnum
from pathlib import Path

FROZEN = Path(__file__).resolve().parents[1] / "tests" / "tidy" / "frozen_codes.txt"
MODULES = ("matching.codes", "matching.wire")


def living_codes() -> dict[str, int]:
    """Return every `Enum.NAME` of the wire with its number, aliases too."""
    codes = {}
    for module in map(importlib.import_module, MODULES):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, IntEnum) and value is not IntEnum:
                for name, member in value.__members__.items():
                    codes[f"{value.__name__}.{name}"] = int(member)
    return codes


def read_frozen(table: Path) -> dict[str, int]:
    """Return the table, or nothing if there is none yet."""
    if not table.exists():
        return {}
    lines = (line.split() for line in table.read_text().splitlines())
    return {name: int(number) for name, number in lines}


def main() -> None:
    """Append what is new, and say it."""
    frozen = read_frozen(FROZEN)
    new = {name: number for name, number in living_codes().items() if name not in frozen}
    with FROZEN.open("a") as out:
        out.writelines(f"{name} {number}\n" for name, number in new.items())
    print(f"{len(new)} codes appended to {FROZEN.name}: {' '.join(new) or 'none'}")


if __name__ == "__main__":
    main()
