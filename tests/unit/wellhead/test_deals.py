"""Blocks and requests for quotes in client and command line."""

import json
import sys
import time
from decimal import Decimal

import pytest
from rich.console import Console

from tests.unit.wellhead.fakes import KEY, SECRET, FakeRest, wellhead
from wellhead import deal_calls
from wellhead.async_client import AsyncClient
from wellhead.cli import out
from wellhead.cli.exits import Exit
from wellhead.cli.tables import TOO_NARROW
from wellhead.client import Client
from wellhead.errors import ConnectionFailed

pytestmark = pytest.mark.usefixtures("trader")

SYMBOL = "H100-SXM.C-EUW-2027M12"
BLOCK = {
    "block_id": "92650175611234567", "client_id": "one", "kind": "efp", "symbol": SYMBOL,
    "role": "initiator", "side": "buy", "price": "62.150", "quantity": "1000",
    "counterparty": "a-counterparty-with-a-long-name", "rfq_id": None, "status": "contract_ended",
    "trade_id": "88361234-0", "expires_at": 1795319822357, "created_ts": 1, "updated_ts": 2,
    "seq": 88361234,
}  # fmt: skip
RFQ = {
    "rfq_id": "92650175611234568", "symbol": SYMBOL, "side": "either", "quantity": "80",
    "status": "open", "expires_at": 1795319822357, "seq": 7, "ts": 5, "ts_ns": "5000000",
}  # fmt: skip
PROPOSE = ("block", "propose", "buy", SYMBOL, "1000", "62.150")


def sent(answer, *arguments):
    """Run a command; return its exit code, and method, path and body of its request."""
    with FakeRest((200, {"seq": 1, "ts": 5, **answer})) as fake:
        code = wellhead(fake, *arguments)
        method, path, body, _ = fake.seen[0]
    return code, method, path, json.loads(body) if body else None


@pytest.fixture
def narrow(monkeypatch):
    """Stand before a screen of eighty columns."""

    def console(*, stderr=False):
        stream = sys.stderr if stderr else sys.stdout
        return Console(file=stream, width=80, highlight=False, color_system=None)

    monkeypatch.setattr(out, "console", console)


def test_a_proposal_names_one_account_and_ends_in_five_minutes(capsys):
    before_ms = time.time() * 1000
    code, method, path, body = sent({"block": BLOCK}, *PROPOSE, "--to", "bob")
    assert (code, method, path) == (Exit.OK, "POST", "/api/v1/blocks")
    assert 299_000 < body.pop("expires_at") - before_ms < 360_000
    assert body == {
        "symbol": SYMBOL, "side": "buy", "price": "62.150", "quantity": "1000",
        "counterparty": "bob",
    }  # fmt: skip
    assert BLOCK["block_id"] in capsys.readouterr().out


def test_a_proposal_answers_a_request_as_an_exchange_for_physical():
    options = ("--rfq", "7", "--efp", "--expires-at", "99", "--client-id", "one")
    *_, body = sent({"block": BLOCK}, *PROPOSE, *options)
    assert body == {
        "symbol": SYMBOL, "side": "buy", "price": "62.150", "quantity": "1000",
        "rfq_id": "7", "kind": "efp", "expires_at": 99, "client_id": "one",
    }  # fmt: skip


@pytest.mark.parametrize(
    "options", [(), ("--to", "bob", "--rfq", "7"), *(("--to", "b", "--seconds", s) for s in
    ("nan", "inf", "0", "-1"))],
)  # fmt: skip
def test_a_proposal_to_nobody_or_without_an_end_is_not_sent(options, capsys):
    with FakeRest() as fake:
        assert wellhead(fake, *PROPOSE, *options) == Exit.USAGE
        assert fake.seen == []
    assert ("--seconds" if "--seconds" in options else "--to ACCOUNT") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "method", "tail"),
    [("accept", "POST", "/accept"), ("decline", "DELETE", ""), ("withdraw", "DELETE", "")],
)
def test_blocks_are_accepted_declined_and_withdrawn_by_id(word, method, tail, capsys):
    code, *request = sent({"block": BLOCK}, "block", word, "7")
    assert (code, request) == (Exit.OK, [method, f"/api/v1/blocks/7{tail}", None])
    assert "contract_ended" in capsys.readouterr().out


@pytest.mark.parametrize("status", ["declined", "contract_ended"])
def test_a_list_fits_eighty_columns_and_loses_nothing_unsaid(status, narrow, capsys):
    answer = {"blocks": [BLOCK | {"status": status}]}
    code, method, path, _ = sent(answer, "block", "list", "--status", "all")
    assert (code, method, path) == (Exit.OK, "GET", "/api/v1/blocks?status=all&limit=50")
    lines = capsys.readouterr().out.splitlines()
    words = " ".join(lines).split()
    assert max(map(len, lines)) <= 80
    assert {BLOCK["block_id"], SYMBOL, "1000", "62.150", status} <= set(words)
    assert (TOO_NARROW in " ".join(words)) != (BLOCK["counterparty"] in words)


def test_a_pipe_gets_every_column_and_json_the_whole_answer(capsys):
    sent({"blocks": [BLOCK]}, "block", "list")
    (row,) = (line for line in capsys.readouterr().out.splitlines() if SYMBOL in line)
    for name in ("counterparty", "trade_id", "kind", "role"):
        assert BLOCK[name] in row
    sent({"blocks": [BLOCK]}, "block", "list", "--json")
    assert json.loads(capsys.readouterr().out)["blocks"] == [BLOCK]
    sent({"blocks": []}, "block", "list")
    assert "no blocks" in capsys.readouterr().out


def test_a_refusal_is_said_with_its_code(capsys):
    problem = {"code": "block_too_small", "detail": "below it", "field": "quantity", "status": 422}
    with FakeRest((422, problem)) as fake:
        assert wellhead(fake, *PROPOSE, "--to", "bob") == Exit.REFUSED
    assert "block_too_small: below it (field quantity)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("least", "said"), [("50", "blocks of 50 lots and more, 1.97 to 2.03 now"), ("0", "no blocks")]
)
def test_the_operator_sets_what_a_contract_takes(least, said, capsys):
    instrument = {
        "symbol": SYMBOL, "state": "continuous", "tick_size": "0.001", "lot_size": "1",
        "lot_gpu_hours": "744", "tick_value": "0.744", "block_min_quantity": least,
        "block_range": {"bps": 200, "low": "1.97", "high": "2.03"},
    }  # fmt: skip
    code, *request = sent(
        {"instrument": instrument},
        "block", "rule", SYMBOL, "--min-quantity", least, "--range-bps", "200",
    )  # fmt: skip
    path, body = f"/api/v1/admin/contracts/{SYMBOL}/blocks", {"min_quantity": least}
    assert (code, request) == (Exit.OK, ["PUT", path, body | {"range_bps": 200}])
    assert said in capsys.readouterr().out


def test_a_request_for_quotes_is_made_listed_and_withdrawn(narrow, capsys):
    code, *request = sent({"rfq": RFQ}, "rfq", SYMBOL, "80", "--expires-at", "99")
    body = {"symbol": SYMBOL, "quantity": "80", "side": "either", "expires_at": 99}
    assert (code, request) == (Exit.OK, ["POST", "/api/v1/rfqs", body])
    assert sent({"rfqs": [RFQ]}, "rfq", "list")[:3] == (Exit.OK, "GET", "/api/v1/rfqs")
    assert sent({"rfq": RFQ}, "rfq", "withdraw", "7")[1:3] == ("DELETE", "/api/v1/rfqs/7")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(lines).split().count(RFQ["rfq_id"]) == 3
    assert sent({"rfqs": []}, "rfq", "list")[0] == Exit.OK
    assert "no requests" in capsys.readouterr().out


def test_the_client_types_blocks_and_requests():
    answers = ({"block": BLOCK}, {"blocks": [BLOCK], "next_cursor": "7"}, {"rfq": RFQ})
    with FakeRest(*((200, one) for one in answers)) as fake, Client(fake.url, KEY, SECRET) as it:
        block = it.deals.propose(SYMBOL, "buy", 1000, "62.150", 99, counterparty="bob")
        assert (block.price, block.quantity) == (Decimal("62.150"), Decimal(1000))
        page = it.deals.blocks("all")
        assert ([one.trade_id for one in page], page.next_cursor) == (["88361234-0"], "7")
        assert it.deals.request_quotes(SYMBOL, 80, 99).side == "either"
        assert fake.signed(0) and fake.signed(2)


async def test_the_client_for_asyncio_takes_the_same_calls():
    answers = ({"block": BLOCK}, {"block": BLOCK}, {"block": BLOCK}, {"rfqs": [RFQ]}, {"rfq": RFQ})
    with FakeRest(*((200, one) for one in answers)) as fake:
        async with AsyncClient(fake.url, KEY, SECRET) as it:
            for end in (it.deals.accept, it.deals.decline, it.deals.withdraw):
                assert (await end("7")).status == "contract_ended"
            assert [one.quantity for one in await it.deals.rfqs()] == [Decimal(80)]
            assert (await it.deals.withdraw_rfq("7")).rfq_id == RFQ["rfq_id"]
        assert [seen[0] for seen in fake.seen] == ["POST", "DELETE", "DELETE", "GET", "DELETE"]


@pytest.mark.parametrize("whom", [{}, {"counterparty": "bob", "rfq_id": "7"}])
def test_a_block_is_for_an_account_or_for_a_request(whom):
    with pytest.raises(TypeError, match="either counterparty or rfq_id"):
        deal_calls.propose(SYMBOL, "buy", 1, "2", 99, **whom)


def test_a_lost_answer_is_not_sent_again_by_itself():
    with (
        FakeRest(None, (200, {"block": BLOCK})) as fake,
        Client(fake.url, KEY, SECRET, retries=2) as it,
    ):
        with pytest.raises(ConnectionFailed):
            it.deals.accept("7")
        assert len(fake.seen) == 1
