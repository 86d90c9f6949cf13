"""The proofs of the limits hold, and each of them fails when a limit is raised."""

import re
import runpy
from pathlib import Path

import pytest

from matching import limits

SOURCE = Path(limits.__file__).read_text()

# The least power of two by which a limit may not be multiplied.
FACTORS = {
    "POSITION_LOTS_MAX": 2,
    "GROSS_TICK_VALUE_MAX": 2,
    "SWING_USD_MICROS_MAX": 2,
    "SHOCK_TICKS_MAX": 2,
    "MONEY_USD_MICROS_MAX": 2,
    "WORST_COUNT_MAX": 2,
    "SEQ_MAX": 2,
    "ORDERS_MAX": 2,
    "PRICE_BITS_DEFAULT": 2,
    "QTY_LOTS_MAX": 1 << 9,
    "TRANSFER_USD_MICROS_MAX": 1 << 9,
    "TICK_VALUE_USD_MICROS_MAX": 1 << 10,
    "COMBINATION_LOTS_MAX": 2,
    "COMBINATIONS_PER_LEG_MAX": 2,
}


def prove(folder: Path, name: str, factor: int) -> None:
    """Run the file of limits with one of them multiplied."""
    pattern = rf"^{name} = ([^#\n]+)"
    source, count = re.subn(pattern, rf"{name} = {factor} * (\1)", SOURCE, flags=re.MULTILINE)
    assert count == 1, name
    path = folder / f"limits_{factor}.py"
    path.write_text(source)
    runpy.run_path(str(path))


@pytest.mark.parametrize(("name", "factor"), FACTORS.items())
def test_a_limit_that_is_raised_breaks_its_proof(tmp_path: Path, name: str, factor: int):
    prove(tmp_path, name, factor // 2)
    with pytest.raises(AssertionError):
        prove(tmp_path, name, factor)


@pytest.mark.parametrize(("bits", "shift"), [(12, 0), (16, 0), (17, 1), (18, 2)])
def test_a_wider_price_domain_lowers_the_gross_limit(bits: int, shift: int):
    assert limits.gross_tick_value_max(bits) == limits.GROSS_TICK_VALUE_MAX >> shift
