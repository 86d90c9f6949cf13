"""Limits by what can be delivered: cells, scopes, hedgers; each rule by its id."""

from datetime import date
from types import SimpleNamespace

from exchange.rules.position_limits import (
    Cell,
    Level,
    Owners,
    Supply,
    cells_of,
    hedged,
    holdings_of,
    is_small,
    least_accountable,
    owner_holdings,
    with_interest,
)

MARCH, APRIL = date(2027, 3, 1), date(2027, 4, 1)
SUPPLY = Supply(measured={("H100", "USE"): 1_000, ("H100", "EUW"): 500})


def market(*held):
    """Return a mirror whose accounts hold (symbol, lots), account by account."""
    contracts = [SimpleNamespace(symbol=symbol) for one in held for symbol, _ in one]
    accounts, place = [], 0
    for one in held:
        positions = {}
        for _, lots in one:
            positions[place] = SimpleNamespace(contract_idx=place, qty_lots=lots)
            place += 1
        accounts.append(SimpleNamespace(positions=positions))
    return SimpleNamespace(accounts=accounts, contracts=contracts)


def test_POSL_001_a_quarter_is_its_three_months_and_a_day_is_a_part_of_one():
    quarter = dict(cells_of("H100-USE-2027Q1"))
    months = [dict(cells_of(f"H100-USE-2027M0{number}")) for number in (1, 2, 3)]
    assert quarter == months[0] | months[1] | months[2]
    assert dict(cells_of("H100.T-USE-2027M03D17")) == {Cell("H100", "USE", MARCH): 24}
    week = dict(cells_of("H100-USE-2027W13"))  # 29 March to 4 April
    assert week == {Cell("H100", "USE", MARCH): 72, Cell("H100", "USE", APRIL): 96}
    assert cells_of("H100-USE-2027M03/2027M04") == ()


def test_POSL_002_a_tenth_of_what_can_be_delivered_by_hub_over_hubs_and_over_months():
    net = {Cell("H100", "USE", MARCH): 100 * 744, Cell("H100", "EUW", MARCH): -20 * 744,
           Cell("H100", "USE", APRIL): 7}  # fmt: skip
    found = {one.scope: one for one in holdings_of(net, SUPPLY)}
    assert found["H100-USE-2027M03"].limit_gpu_hours == 100 * 744
    assert found["H100-EUW-2027M03"].used_gpu_hours == 20 * 744
    assert not found["H100-EUW-2027M03"].long
    assert found["H100-2027M03"].used_gpu_hours == 100 * 744, "one hub hedges no other"
    assert found["H100-2027M03"].limit_gpu_hours == 150 * 744
    assert found["H100"].used_gpu_hours == 100 * 744 + 7
    assert found["H100"].limit_gpu_hours == 150 * 8_760
    assert holdings_of({Cell("B200", "USE", MARCH): 10**9}, SUPPLY) == []
    benchmark = {one.scope: one for one in holdings_of({Cell("H100", "GLB", MARCH): 1}, SUPPLY)}
    assert benchmark["H100-GLB-2027M03"].limit_gpu_hours == 150 * 744
    nothing = holdings_of({Cell("H100", "APN", MARCH): 1}, SUPPLY)
    assert [one.scope for one in nothing] == ["H100", "H100-2027M03"]


def test_POSL_003_half_of_a_limit_is_accountable_and_only_more_than_it_is_beyond():
    for lots, level in (
        (49, Level.OK), (50, Level.ACCOUNTABLE), (100, Level.ACCOUNTABLE), (101, Level.BEYOND),
        (-50, Level.ACCOUNTABLE), (-101, Level.BEYOND),
    ):  # fmt: skip
        (one, *_) = holdings_of({Cell("H100", "USE", MARCH): lots * 744}, SUPPLY)[1:2]
        assert one.scope == "H100-2027M03"
        by_hub = {x.scope: x for x in holdings_of({Cell("H100", "USE", MARCH): lots * 744}, SUPPLY)}
        assert by_hub["H100-USE-2027M03"].level == level, lots


def test_POSL_003_what_is_too_little_to_be_looked_at_is_never_accountable():
    supply = Supply({(0, "H100", "APN"): 40}, SUPPLY.measured)
    least = least_accountable(supply)
    assert least == 40 * 672 // 20 and least_accountable(Supply()) == 0
    for symbol in ("H100-APN-2027M02", "H100-APN-2027M03", "H100-GLB-2027Q1", "H100-APN-2027"):
        for lots in range(-4, 5):
            held = market([(symbol, lots)])
            levels = {one.level for one in owner_holdings(held, Owners({}, {}), supply, 0)}
            assert levels <= {Level.OK} or not is_small(held, [0], least), (symbol, lots)
    assert is_small(market([("H100-APN-2027M02", 1)]), [0], least)


def test_POSL_004_what_a_neocloud_sells_of_its_own_capacity_does_not_count():
    cell = Cell("H100", "USE", MARCH)
    own = {("H100", "USE"): 300}
    assert hedged({cell: -300 * 744}, own) == {cell: 0}
    assert hedged({cell: -310 * 744}, own) == {cell: -10 * 744}
    assert hedged({cell: 5 * 744}, own) == {cell: 5 * 744}, "what it buys counts in full"
    supply = Supply({(0, "H100", "USE"): 300}, SUPPLY.measured)
    held = market([("H100-USE-2027M03", -300)], [("H100-USE-2027M03", -300)])
    kinds = {0: "neocloud", 1: "customer"}
    assert owner_holdings(held, Owners({}, kinds), supply, 0)[0].used_gpu_hours == 0
    assert owner_holdings(held, Owners({}, kinds), supply, 1)[0].used_gpu_hours == 300 * 744
    other = owner_holdings(held, Owners({}, {0: "customer"}), supply, 0)
    assert other[0].used_gpu_hours == 300 * 744, "capacity makes a hedger of NeoClouds alone"


def test_POSL_001_all_accounts_of_an_owner_are_netted():
    held = market([("H100-USE-2027M03", 60)], [("H100-USE-2027Q1", 60)], [("H100-USE-2027M03", 9)])
    owners = Owners({1: 0, 2: 2}, {})
    assert owners.accounts(0) == [0, 1] and owners.head(1) == 0 and owners.accounts(2) == [2]
    found = {one.scope: one for one in owner_holdings(held, owners, SUPPLY, 0)}
    assert found["H100-USE-2027M03"].used_gpu_hours == 120 * 744
    assert found["H100-USE-2027M03"].level == Level.BEYOND


def test_POSL_007_what_nobody_has_measured_is_limited_by_what_is_open_of_it():
    state = market([("B200-USE-2027M03", 60_000), ("H100-USE-2027M03", 9)])
    for contract, lots in zip(state.contracts, (60_000, 9), strict=True):
        contract.open_interest_lots = lots
    supply = with_interest(SUPPLY, state)
    assert supply.skus() == {"H100", "B200"} and set(supply.by_interest) == {"B200"}
    lots = 60_000 * 744 // 720
    assert supply.by_interest["B200"] == (5_000 + (lots - 50_000) // 40) * 720
    found = {one.scope: one for one in owner_holdings(state, Owners({}, {}), supply, 0)}
    assert found["B200"].level == Level.BEYOND and found["H100"].level == Level.OK
    assert "B200-USE-2027M03" not in found, "over all months and hubs alone"
    assert least_accountable(with_interest(Supply(), state)) == 2_500 * 720
    small = market([("B200-USE-2027M03", 2_400)])
    assert is_small(small, [0], 2_500 * 720)
