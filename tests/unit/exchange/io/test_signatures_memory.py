"""Signatures in memory: each once, remembered as long as it could be accepted, then forgotten."""

import pytest

from exchange.io import signatures_memory
from exchange.io.errors import ClockBehind, Unavailable
from exchange.io.signatures_memory import MemorySignatures, begins_at_ns

S = 1_000_000_000


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.at_ns = 1_000 * S

    def now_ns(self) -> int:
        return self.at_ns


async def test_a_signature_is_claimed_once_by_each_key():
    signatures = MemorySignatures(Clock().now_ns)
    assert await signatures.claim("k", b"1", 1_005 * S)
    assert not await signatures.claim("k", b"1", 1_005 * S)
    assert await signatures.claim("k", b"2", 1_005 * S)
    assert await signatures.claim("other", b"1", 1_005 * S)


async def test_a_signature_is_remembered_until_it_has_expired():
    clock = Clock()
    signatures = MemorySignatures(clock.now_ns)
    expires_ns = 1_005 * S + S // 2
    assert await signatures.claim("k", b"1", expires_ns)
    clock.at_ns = expires_ns
    assert not await signatures.claim("k", b"1", expires_ns)
    clock.at_ns = expires_ns + S
    assert await signatures.claim("k", b"1", expires_ns + 5 * S), "nothing is kept for ever"


async def test_one_that_expired_while_it_waited_is_not_taken_again():
    clock = Clock()
    signatures = MemorySignatures(clock.now_ns)
    assert await signatures.claim("k", b"1", 1_005 * S)
    clock.at_ns = 1_006 * S
    assert not await signatures.claim("k", b"1", 1_005 * S)


async def test_a_clock_set_back_brings_no_signature_back():
    clock = Clock()
    signatures = MemorySignatures(clock.now_ns)
    assert await signatures.claim("k", b"1", 1_005 * S)
    clock.at_ns = 1_010 * S
    assert await signatures.claim("k", b"2", 1_015 * S)  # the first is forgotten now
    clock.at_ns = 1_002 * S
    for _ in range(2):
        with pytest.raises(ClockBehind) as behind:
            await signatures.claim("k", b"1", 1_005 * S)
        assert behind.value.until_ns == signatures.forgotten_ns == 1_010 * S
    clock.at_ns = 1_005 * S
    assert await signatures.claim("k", b"3", 1_011 * S), "what was not forgotten goes on"
    assert not await signatures.claim("k", b"3", 1_011 * S), "and is still used once"


async def test_what_cannot_be_remembered_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signatures_memory, "REMEMBERED_MAX", 2)
    clock = Clock()
    signatures = MemorySignatures(clock.now_ns)
    assert await signatures.claim("k", b"1", 1_005 * S)
    assert await signatures.claim("k", b"2", 1_005 * S)
    with pytest.raises(Unavailable):
        await signatures.claim("k", b"3", 1_005 * S)
    assert not await signatures.claim("k", b"1", 1_005 * S)
    clock.at_ns = 1_007 * S
    assert await signatures.claim("k", b"3", 1_010 * S)


@pytest.mark.parametrize(
    ("began_s", "journal_s", "begins_s"),
    [(100, 90, 101), (100, 0, 101), (100, 250, 251)],  # the last: the clock went back
)
def test_signatures_begin_after_all_that_another_process_may_have_accepted(
    began_s: int, journal_s: int, begins_s: int
):
    assert begins_at_ns(began_s * S, journal_s * S, S) == begins_s * S
