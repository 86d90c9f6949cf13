"""What a question about settlements may name: a day, and nothing that no table can hold."""

import pytest

from api.errors import Problem
from api.routes.settlements import due_of
from tests.support.api_world import running


def test_a_day_is_the_moment_of_its_settlement():
    assert due_of(None) is None
    assert due_of("1970-01-02") == (24 + 16) * 3_600_000_000_000


@pytest.mark.parametrize(
    "text", ["0001-01-01", "1969-12-31", "2262-12-31", "9999-12-31", "2026-02-30", "20260201", ""]
)
def test_a_day_that_is_none_or_beyond_all_time_is_refused(text: str):
    with pytest.raises(Problem, match="query_invalid"):
        due_of(text)


async def test_such_a_day_has_a_code_over_the_wire():
    async with running() as world:
        answer = await world.call(None, "GET", "/settlements?date=9999-12-31")
        assert (answer.status_code, answer.json()["code"]) == (422, "query_invalid")
