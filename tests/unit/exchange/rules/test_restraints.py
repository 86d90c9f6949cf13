"""What is next for an account that may only reduce: word, then core, whatever was killed."""

import pytest

from exchange.rules.restraints import (
    Credit,
    Reason,
    Word,
    credit_reasons,
    next_act,
    stricter_credit,
    word_of,
)
from matching.codes import AccountState

ACTIVE, REDUCE, FROZEN = AccountState.ACTIVE, AccountState.REDUCE_ONLY, AccountState.FROZEN
WHY = ("position_limit",)
OURS, THEIRS, FREE = Word(WHY, True, 7), Word(WHY, False, 7), Word(notice_id=8)


@pytest.mark.parametrize(
    ("last", "reasons", "state", "liquidated", "word", "told"),
    [
        (Word(), WHY, ACTIVE, False, Word(WHY, True), REDUCE),
        (OURS, WHY, ACTIVE, False, None, REDUCE),  # killed between word and command
        (OURS, WHY, REDUCE, False, None, None),
        (OURS, ("fund_call",), REDUCE, False, Word(("fund_call",), True), None),
        (OURS, (), REDUCE, False, None, ACTIVE),
        (OURS, (), ACTIVE, False, Word(), None),  # the core says so: now it is written
        (FREE, (), ACTIVE, False, None, None),
        (FREE, (), REDUCE, False, None, None),  # an operator's own doing
        (Word(), WHY, REDUCE, False, Word(WHY, False), None),
        (THEIRS, (), REDUCE, False, Word(), None),  # it was not ours to give back
        (THEIRS, WHY, ACTIVE, False, Word(WHY, True), REDUCE),  # an operator let it go
        (Word(), WHY, FROZEN, False, Word(WHY, False), None),
        (Word(), WHY, REDUCE, True, Word(WHY, False), None),
        (OURS, WHY, REDUCE, True, None, None),
        (OURS, (), REDUCE, True, None, None),  # a liquidation gives its state back first
    ],
)  # fmt: skip
def test_RSTR_002_word_and_state_say_what_is_next(last, reasons, state, liquidated, word, told):
    act = next_act(last, reasons, state, liquidated=liquidated)
    assert (act.word, act.state) == (word, told)


def test_CRED_004_and_005_margin_and_turnover_beyond_the_stricter_limit_are_reasons():
    assert stricter_credit(Credit(10, 0), Credit(7, 90)) == Credit(7, 90)
    assert credit_reasons(Credit(7, 90), 7, 90) == []
    assert credit_reasons(Credit(7, 90), 8, 91) == [Reason.MARGIN_LIMIT, Reason.TURNOVER_LIMIT]
    assert credit_reasons(Credit(), 10**18, 10**12) == []


def test_a_word_is_read_as_it_was_written():
    assert word_of("restrained", {"reasons": ["fund_call"], "imposed": True}, 5) == Word(
        ("fund_call",), True, 5
    )
    assert word_of("released", {"reasons": []}, 6) == Word(notice_id=6)
