"""Refusals: every code of the core has one name and one status."""

from http import HTTPStatus

import pytest

from api.edge import problem_of
from api.errors import CORE, OWN, Problem, core_name, core_problem
from api.limits import Buckets
from exchange.io.errors import DatabaseUnavailable, IdempotencyConflict, Invalid, NotFound
from matching.codes import Code


def test_every_code_of_the_core_has_a_name_and_a_status():
    assert set(CORE) == {int(code) for code in Code}
    for status, name in CORE.values():
        assert HTTPStatus(status)
        assert name.islower()


def test_no_two_codes_share_a_name():
    names = [name for _, name in CORE.values()]
    assert len(set(names)) == len(names)
    # "halted" and the like are the API's own; a name must not mean two things.
    assert not set(names) & set(OWN)


def test_no_refusal_is_a_500():
    assert 500 not in {status for status, _ in CORE.values()} | set(OWN.values())


def test_what_may_be_tried_again_says_when():
    for code, status in OWN.items():
        assert (Problem(code).retry_after_s is not None) == (status in (429, 503))


@pytest.mark.parametrize("code", [c for c in Code if CORE[c][0] >= 400])
def test_a_refusal_of_the_core_becomes_a_problem(code: Code):
    problem = core_problem(code).to_dict("r-1")
    assert problem["code"] == core_name(code) == code.name.lower()
    assert problem["request_id"] == "r-1"
    assert problem["status"] == CORE[code][0]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DatabaseUnavailable("x"), "unavailable"),
        (IdempotencyConflict("x"), "idempotency_conflict"),
        (NotFound("x"), "not_found"),
        (Invalid("x"), "field_invalid"),
        (ZeroDivisionError("secret"), "unavailable"),
    ],
)
def test_an_exception_becomes_a_problem_that_tells_nothing_inside(error: Exception, code: str):
    problem = problem_of(error)
    assert problem.code == code
    assert "secret" not in str(problem.to_dict("r"))


def test_a_conflict_says_what_was_there_before():
    problem = problem_of(IdempotencyConflict("the account carol exists already"))
    assert problem.to_dict("r")["detail"] == "the account carol exists already"


def test_a_bucket_gives_its_rate_and_then_refuses():
    now = 0.0
    buckets: Buckets[str] = Buckets("requests", 10, lambda: now)
    for _ in range(10):
        buckets.take("a")
    with pytest.raises(Problem) as refused:
        buckets.take("a")
    assert refused.value.status == 429
    assert refused.value.extra["limit"] == {"remaining": 0, "reset": 1000}
    buckets.take("b")
    now = 0.5
    for _ in range(5):
        buckets.take("a")
    with pytest.raises(Problem):
        buckets.take("a")
