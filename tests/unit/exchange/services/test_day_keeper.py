"""Final prints reach the calendar in the order of their chain, each once."""

from datetime import date

from exchange.io.clock import ManualClock
from exchange.io.final_prints import TOGETHER
from exchange.rules.contracts import parse_symbol
from exchange.rules.final_settlement import DayPrint, FixedDays
from exchange.rules.tenors import DAY, ns_of
from exchange.services.day_keeper import DayKeeper

START = date(2027, 3, 1)


class Prints:
    """A published history."""

    def __init__(self, count: int) -> None:
        self.rows = [
            (place + 1, "H100-USE", DayPrint(START + place * DAY, 2_000_000 + place, "a" * 64))
            for place in range(count)
        ]
        self.asked: list[int] = []

    async def after(self, position: int, first: date) -> list[tuple[int, str, DayPrint]]:
        self.asked.append(position)
        return [row for row in self.rows if row[0] > position and row[2].day >= first][:TOGETHER]


async def test_prints_are_read_once_and_new_ones_when_they_come():
    prints, days = Prints(3), FixedDays()
    keeper = DayKeeper(prints, ManualClock(ns_of(START + 9 * DAY)), days)
    period = parse_symbol("H100-USE-2027M03").period
    assert (await keeper.step(), len(days.of("H100-USE", period))) == (3, 3)
    assert (await keeper.step(), len(days.of("H100-USE", period))) == (0, 3)
    prints.rows = Prints(5).rows
    assert (await keeper.step(), len(days.of("H100-USE", period))) == (2, 5)
    assert prints.asked == [0, 3, 3]


async def test_a_long_history_is_read_whole_and_only_what_can_matter():
    days = FixedDays()
    keeper = DayKeeper(Prints(TOGETHER + 7), ManualClock(ns_of(START)), days)
    assert await keeper.step() == TOGETHER + 7
    late = DayKeeper(Prints(3), ManualClock(ns_of(START + 1_000 * DAY)), FixedDays())
    assert await late.step() == 0
