"""No number stands for two things."""

from enum import IntEnum

import pytest

from matching import codes

ENUMS = [e for e in vars(codes).values() if isinstance(e, type) and issubclass(e, IntEnum)]


@pytest.mark.parametrize("enum", [e for e in ENUMS if e is not IntEnum])
def test_no_number_is_given_twice(enum: type[IntEnum]):
    numbers = [int(member) for member in enum.__members__.values()]
    assert len(numbers) == len(set(numbers))


def test_flags_are_single_bits_and_all_of_them_are_known():
    assert all(flag & (flag - 1) == 0 for flag in codes.Flag)
    assert sum(codes.Flag) == codes.FLAGS_ALL
