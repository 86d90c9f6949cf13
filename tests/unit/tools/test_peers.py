"""The bench of other engines: its workload is right, and no adapter gets by with wrong trades."""

import json
import lzma
from pathlib import Path
from random import Random

import pytest

from exchange.services.replay import FeedError, Header
from tools.peers import __main__ as peers
from tools.peers import child, installing, table
from tools.peers.catalogue import LEFT_OUT, LOOP, PEERS, PLAIN, Engine
from tools.peers.plain import Book
from tools.peers.running import Result, differing, hung, last, run_all
from tools.peers.workload import Workload, as_published, load, translate

FEED = Path(__file__).parents[2] / "integration" / "feeds" / "synthetic_20k.bin.xz"
HEADER = Header(
    commands=6, instruments=1, feed_id_max=9, price_ticks_min=1, price_ticks_max=200
)  # fmt: skip
FAKE = """
from tools.peers.plain import Book as Right

class Book(Right):
    def {name}(self, *given):
{body}
"""


@pytest.fixture(scope="module")
def work() -> Workload:
    """Return the first two thousand commands of the small feed."""
    return load(FEED, 2000)


def fake(tmp_path: Path, name: str, body: str) -> Engine:
    """Return an engine that is right but for one method, of which the body is given."""
    adapter = tmp_path / f"fake_{name}.py"
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    adapter.write_text(FAKE.format(name=name, body=lines))
    return Engine("fake", adapter, "made up")


def ran(engine: Engine, work: Workload, tmp_path: Path, seconds: float = 20.0) -> Result:
    """Run one engine once in a child process."""
    (result,) = run_all([engine], work, tmp_path, 1, seconds)
    return result


def test_the_plain_book_gives_the_published_trades_of_the_whole_small_feed():
    work = load(FEED, None)  # it is held against the file beside the feed
    assert len(work.commands) > 20_000
    assert len(work.trades) > 2_000


def test_a_feed_beside_other_trades_is_refused(tmp_path: Path):
    copied, name = tmp_path / FEED.name, "synthetic_20k.trades.csv.xz"
    copied.write_bytes(FEED.read_bytes())
    packed = FEED.with_name(name).read_bytes()
    for other in (packed[:-200], lzma.compress(lzma.decompress(packed).replace(b"28", b"29"))):
        (tmp_path / name).write_bytes(other)
        with pytest.raises(FeedError):
            load(copied, None)


def test_replacement_reduction_and_immediate_order_become_adds_and_cancels():
    rows = [
        (0, 1, 0, 1, 100, 5),
        (2, 1, 0, 1, 101, 7),  # replaced
        (3, 0, 0, 1, 0, 3),  # reduced to three
        (4, 0, 0, 2, 101, 9),  # immediate: takes three
        (1, 0, 0, 1, 0, 0),  # gone already
        (2, 0, 0, 1, 99, 1),  # gone too
    ]
    work = translate("made", HEADER, rows)
    assert work.commands == [
        (0, 1, 1, 100, 5),
        (1, 1, 1, 100, 0), (0, 1, 1, 101, 7),
        (1, 1, 1, 101, 0), (0, 1, 1, 101, 3),
        (0, 2, 0, 101, 9), (1, 2, 0, 101, 0),
    ]  # fmt: skip
    assert work.trades == [(2, 1, 101, 3)] == as_published(rows)
    assert work.trades_before == [0, 0, 0, 0, 0, 0, 1]


def test_the_plain_book_never_stays_crossed_and_loses_no_lot():
    random, book, added = Random(5), Book(), 0
    for order_id in range(1, 3000):
        if book.live and random.random() < 0.3:
            gone = random.choice(list(book.live))
            added -= book.live[gone].left
            book.cancel(gone)
        lots = random.randint(1, 9)
        added += lots
        side = random.randint(0, 1)
        book.add(order_id, side, random.randint(85, 101) + 14 * side, lots)
    bids = [o.price for o in book.live.values() if o.side == 0]
    asks = [o.price for o in book.live.values() if o.side == 1]
    assert max(bids) < min(asks)
    assert added == sum(o.left for o in book.live.values()) + 2 * sum(t[3] for t in book.found)


def test_an_engine_that_is_right_agrees(work: Workload, tmp_path: Path):
    result = ran(PLAIN, work, tmp_path)
    assert (result.wrong, result.trades, result.refused) == (0, len(work.trades), 0)
    assert result.commands == len(work.commands)
    assert result.ns_per_command[0] > 0


@pytest.mark.parametrize(
    "body",
    [
        "return [(t, m, price + 1, lots) for t, m, price, lots in self.found]",  # another price
        "return self.found[1:]",  # one is missing
        "return self.found + self.found[:1]",  # one too many
        "return self.found[::-1]",  # another order
        "return [(m, t, price, lots) for t, m, price, lots in self.found]",  # maker for taker
    ],
)
def test_planted_wrong_trades_are_caught(body: str, work: Workload, tmp_path: Path):
    result = ran(fake(tmp_path, "trades", body), work, tmp_path)
    assert result.wrong > 0
    assert "WRONG" in table.verdict(result, len(work.commands))


def test_commands_that_fail_are_counted(work: Workload, tmp_path: Path):
    result = ran(fake(tmp_path, "cancel", "raise ValueError('unknown order')"), work, tmp_path)
    assert result.refused == sum(kind for kind, *_ in work.commands)
    assert result.wrong > 0


def test_an_engine_that_dies_is_named_with_its_reason(work: Workload, tmp_path: Path):
    result = ran(fake(tmp_path, "trades", "raise SystemError('broken inside')"), work, tmp_path)
    assert not result.ns_per_command
    assert "broken inside" in result.failed
    assert table.cells(result, 1)[-1] == result.failed


def test_an_engine_whose_time_is_up_is_judged_by_what_it_did(work: Workload, tmp_path: Path):
    result = ran(PLAIN, work, tmp_path, seconds=1e-9)
    assert result.commands == child.SLICE
    assert result.wrong == 0
    assert 0 < result.trades < len(work.trades)
    assert "time was up" in table.verdict(result, len(work.commands))


def test_an_engine_that_never_returns_is_told_where_it_was():
    lines = '{"commands": 7000, "refused": 0, "ns": 5}\n{"comma'
    assert last(lines) == {"commands": 7000, "refused": 0, "ns": 5}
    assert "after command 7,000" in hung(lines.encode(), 60)
    assert "after command 0" in hung(None, 60)


def test_differing_counts_what_is_missing_extra_and_out_of_place():
    right = [(1, 2, 3, 4), (5, 6, 7, 8), (9, 9, 9, 9)]
    assert differing(right, right) == 0
    assert differing(right[:2], right) == 1
    assert differing([*right, right[0]], right) == 1
    assert differing([], right) == 3
    assert differing([right[1], right[0], right[2]], right) == 2


def test_every_peer_has_an_adapter_and_a_lock_with_hashes():
    for peer in PEERS:
        assert peer.adapter.exists() and peer.lock is not None, peer.name
        assert peer.version and "--hash=sha256:" in peer.lock.read_text(), peer.name
        text = peer.adapter.read_text()
        assert all(f"def {name}(" in text for name in ("add", "trades")), peer.name
        assert "cancel" in text and "import matching" not in text, peer.name


def test_no_network_gives_one_clear_line(tmp_path: Path, monkeypatch, capsys):
    def fails(peer: Engine, say: installing.Say, folder: Path) -> str:
        return "No matching distribution found for it"

    folder = tmp_path / "peers"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    monkeypatch.setattr(installing, "install_one", fails)
    with pytest.raises(installing.NoPeers, match="within reach"):
        installing.install(PEERS, lambda _: None, folder)

    def none(*_: object) -> dict[str, str]:
        raise installing.NoPeers("no peer could be installed")

    monkeypatch.setattr(installing, "install", none)
    assert peers.main([]) == 1
    assert capsys.readouterr().err == "bench-peers: no peer could be installed\n"


def test_the_reason_is_the_line_of_pip_that_says_error():
    text = "WARNING: retrying\nERROR: Could not find it\nERROR: No matching distribution found\n"
    assert installing.reason_of(text) == "No matching distribution found"
    assert installing.reason_of("") == "pip failed and said nothing"


def test_a_peer_that_is_not_there_stands_in_the_table_with_its_reason():
    lines = table.rows(
        [
            Result("slow", ns_per_command=[900.0, 700.0, 800.0], commands=10, trades=3),
            Result("absent", failed="not installed: no wheel"),
            Result("quick", ns_per_command=[10.0], commands=10, trades=3, wrong=2),
        ],
        10,
    )
    assert [row[0] for row in lines] == ["quick", "slow", "absent"]
    assert lines[0][-1] == "WRONG: 2 of 3 differ"
    assert lines[1][3:] == ("800", "700", "900", "1,250,000", "3 agree")
    assert lines[2][-1] == "not installed: no wheel"
    assert "not installed: no wheel" in table.text_table(lines)


def test_the_page_is_made_of_the_line_that_is_kept(work: Workload):
    machine = {
        "cores": 2, "cpu": "a CPU", "memory_gb": 1, "system": "S", "python": "3.11",
        "load_before": 1.5,
    }  # fmt: skip
    results = [Result("quick", ns_per_command=[10.0], commands=len(work.commands), trades=3)]
    line = peers.line_of(results, ["a note"], work, machine)
    page = table.page(json.loads(json.dumps(line)))
    assert "| quick |" in page and "* a note" in page and "load of the machine before: 1.5" in page
    assert all(name in page for name in LEFT_OUT)


def test_the_loop_alone_is_not_judged(work: Workload, tmp_path: Path):
    result = ran(LOOP, work, tmp_path)
    assert table.verdict(result, len(work.commands)) == ""
