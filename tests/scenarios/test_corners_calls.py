"""Corners of calls and guards: the edge itself, the end itself, and what a call keeps."""

from tests.scenarios.dsl import run


def test_CALL_004_a_mark_at_the_buyers_price_of_a_tie_takes_that_price():
    """Two buyers are left over at 2150 and two sellers at 2151; nothing is between them."""
    run("""
    contract H100 mark 2150               -> ok
    call opening                          -> ok call opening
    alice buy 4 @ 2155 as b1              -> ok
    alice buy 2 @ 2150 as b2              -> ok
    bob sell 4 @ 2140 as s1               -> ok
    bob sell 2 @ 2151 as s2               -> ok
    uncross                               -> ok uncross 4@2150 imbalance 2 meet b1 s1 4
    mark 2151                             -> ok
    call opening                          -> ok call opening
    alice buy 4 @ 2155 as b3              -> ok
    bob sell 4 @ 2140 as s3               -> ok
    uncross                               -> ok uncross 4@2151 imbalance -2 meet b3 s3 4
    """)


def test_CALL_005_a_market_order_goes_before_an_older_limit_at_the_edge():
    run("""
    contract H100 mark 2150 band 1000     -> ok
    call opening                          -> ok call opening
    alice buy 3 @ 2365 as b1              -> ok rests 3
    carol buy 4 market gfa as m1          -> ok rests 4
    bob sell 5 @ 2365 as s1               -> ok rests 5
    uncross                               -> ok uncross 5@2365 imbalance 2 \
        meet m1 s1 4 meet b1 s1 1
    """)


def test_CALL_005_market_orders_sell_first_at_the_lower_edge():
    run("""
    contract H100 mark 2150 band 1000     -> ok
    call opening                          -> ok call opening
    alice sell 3 @ 1935 as s1             -> ok rests 3
    carol sell 4 market gfa as m1         -> ok rests 4
    bob buy 5 @ 1935 as b1                -> ok rests 5
    uncross                               -> ok uncross 5@1935 imbalance -2 \
        meet b1 m1 4 meet b1 s1 1
    """)


def test_CALL_005_another_phase_of_a_call_keeps_the_edge_of_its_beginning():
    """The band is 1900 .. 2100 when the phase changes, and 1935 .. 2365 when the call began."""
    run("""
    contract H100 mark 2150 band 1000     -> ok
    call opening                          -> ok call opening
    carol buy 4 market gfa as m1          -> ok rests 4
    band 500                              -> ok
    mark 2000                             -> ok
    call closing                          -> ok call closing
    dave buy 1 market gfa as m2           -> ok rests 1
    book buys                             -> 5@2365
    alice buy 2 @ 2100 as b1              -> ok rests 2
    bob sell 6 @ 2090 as s1               -> ok rests 6
    uncross                               -> ok uncross 6@2100 imbalance 1 \
        meet m1 s1 4 meet m2 s1 1 meet b1 s1 1
    """)


def test_CALL_009_a_trade_at_the_bounds_of_the_guard_is_allowed():
    """From 2000 it reaches from 1900 to 2100, both among them."""
    run("""
    contract H100 mark 2000                               -> ok
    guard velocity 500 within 1_000 call 60               -> ok
    alice sell 1 @ 1900                                   -> ok rests 1
    bob buy 1 @ 1900                                      -> ok fill 1@1900
    bob buy 1 @ 2100                                      -> ok rests 1
    alice sell 1 @ 2100                                   -> ok fill 1@2100
    alice sell 1 @ 1899                                   -> ok rests 1
    bob buy 1 @ 1899                                      -> ok call volatility rests 1
    """)


def test_CALL_009_the_guard_measures_anew_in_the_very_moment_that_its_window_ends():
    run("""
    contract H100 mark 2000                               -> ok
    guard velocity 100 within 1_000 call 60               -> ok
    time 1
    alice sell 1 @ 2010                                   -> ok rests 1
    bob buy 1 @ 2010                                      -> ok fill 1@2010
    alice sell 2 @ 2030                                   -> ok rests 2
    time 1_000
    bob buy 1 @ 2030                                      -> ok fill 1@2030
    """)


def test_CALL_009_the_guard_measures_from_where_it_did_until_its_window_ends():
    run("""
    contract H100 mark 2000                               -> ok
    guard velocity 100 within 1_000 call 60               -> ok
    time 1
    alice sell 1 @ 2010                                   -> ok rests 1
    bob buy 1 @ 2010                                      -> ok fill 1@2010
    alice sell 2 @ 2030                                   -> ok rests 2
    time 999
    bob buy 1 @ 2030                                      -> ok call volatility rests 1
    """)


def test_CALL_010_a_price_that_moved_fast_uses_up_no_step_of_the_daily_limit():
    run("""
    contract H100 mark 2000                               -> ok
    guard velocity 500 within 1_000 daily 1000 2000 call 60  -> ok
    time 1
    alice sell 1 @ 2101 as s1                             -> ok rests 1
    bob buy 1 @ 2101 as b1                                -> ok call volatility rests 1
    time 61
    tick                                                  -> ok uncross 1@2101 meet b1 s1 1
    alice sell 1 @ 2201                                   -> ok rests 1
    bob buy 1 @ 2201                                      -> ok call volatility rests 1
    """)


def test_MTCH_002_a_call_of_a_close_only_contract_takes_only_orders_that_reduce():
    run("""
    alice sell 5 @ 2150                   -> ok rests 5
    bob buy 5 @ 2150                      -> ok fill 5@2150
    state close_only                      -> ok
    call closing                          -> ok call closing
    carol buy 1 @ 2150                    -> contract_close_only
    bob sell 6 @ 2150                     -> contract_close_only
    bob sell 5 @ 2150 as s1               -> ok rests 5
    alice buy 5 @ 2150 as b1              -> ok rests 5
    uncross                               -> ok uncross 5@2150 meet b1 s1 5
    carol buy 1 @ 2150                    -> contract_close_only
    """)


def test_MTCH_001_a_call_goes_back_to_the_last_state_in_which_orders_met():
    run("""
    contract H100 mark 2150               -> ok
    state close_only                      -> ok
    state halt                            -> ok
    state auction                         -> ok call manual
    uncross                               -> ok uncross
    carol buy 1 @ 2150                    -> contract_close_only
    state pre_open                        -> ok
    call opening                          -> ok call opening
    uncross                               -> ok uncross
    carol buy 1 @ 2150                    -> contract_close_only
    state continuous                      -> ok
    state halt                            -> ok
    state auction                         -> ok call manual
    uncross                               -> ok uncross
    carol buy 1 @ 2150                    -> ok rests 1
    """)
