"""Corners of prices: pegs at the edges, bands of market orders, ranges of blocks, ends of days."""

from tests.scenarios.dsl import run


def test_PEGS_002_a_narrower_band_moves_a_peg_to_its_edge():
    run("""
    contract H100 mark 2000               -> ok
    alice buy 1 @ 2040                    -> ok rests 1
    bob buy 2 peg bid 5 as p1             -> ok rests 2
    band 100                              -> ok moves p1 @2020
    band 0                                -> ok moves p1 @2045
    """)


def test_PEGS_004_a_peg_that_only_reduces_moves_whatever_it_loses():
    """Three lots ten ticks below the mark lose 30, and carol has 10 (RISK_004)."""
    run("""
    account carol 10
    alice sell 3 @ 2150                   -> ok rests 3
    carol buy 3 @ 2150                    -> ok fill 3@2150
    alice sell 5 @ 2155 as s1             -> ok rests 5
    carol sell 3 peg ask 0 as p1          -> ok rests 3
    alice amend s1 @ 2140                 -> ok moves p1 @2140 rests 5
    """)


def test_PEGS_003_a_peg_has_a_price_of_one_tick_at_least():
    run("""
    alice buy 1 @ 3                       -> ok rests 1
    bob buy 2 peg bid -3 as p1            -> ok rests 2
    book buys                             -> 1@3 2@1
    """)


def test_PEGS_003_a_peg_beyond_the_greatest_price_stands_there():
    run("""
    alice sell 1 @ 4090                   -> ok rests 1
    bob sell 2 peg ask 10                 -> ok rests 2
    book sells                            -> 1@4090 2@4095
    """)


def test_PEGS_003_a_tick_away_from_the_least_price_there_is_no_peg():
    run("""
    alice sell 1 @ 1                      -> ok rests 1
    bob buy 2 peg ask 0                   -> no_reference_price
    book buys                             -> empty
    """)


def test_PEGS_003_a_tick_away_from_the_greatest_price_there_is_no_peg():
    run("""
    alice buy 1 @ 4095                    -> ok rests 1
    bob sell 2 peg bid 0                  -> no_reference_price
    book sells                            -> empty
    """)


def test_MTCH_026_a_band_narrower_than_the_protection_binds():
    run("""
    contract H100 mark 2000 band 100      -> ok
    protection 1000                       -> ok
    alice sell 1 @ 2020                   -> ok rests 1
    alice sell 1 @ 2021                   -> ok rests 1
    bob buy 2 market                      -> ok fill 1@2020 drop 1 ioc_remainder
    alice buy 1 @ 1980                    -> ok rests 1
    alice buy 1 @ 1979                    -> ok rests 1
    bob sell 2 market                     -> ok fill 1@1980 drop 1 ioc_remainder
    """)


def test_BLCK_002_the_range_of_blocks_is_rounded_to_the_inside():
    """Two in a hundred of 2049 are 40.98 ticks."""
    run("""
    contract H100 mark 2049 blocks 5 range 200            -> ok
    block_range                                           -> 2009 .. 2089
    alice propose bob buy 5 @ 2008 until 60               -> block_price_out_of_range
    alice propose bob buy 5 @ 2009 until 60               -> ok
    alice propose bob buy 5 @ 2089 until 60               -> ok
    alice propose bob buy 5 @ 2090 until 60               -> block_price_out_of_range
    """)


def test_BLCK_004_what_resting_orders_lose_is_no_money_for_a_block():
    run("""
    contract H100 mark 2150 blocks 5 range 200            -> ok
    account alice 100
    alice buy 4 @ 2160                                    -> ok rests 4
    free alice                                            -> 60
    bob propose alice sell 10 @ 2157 until 60 as p1       -> ok
    alice accept p1                                       -> margin_insufficient
    bob propose alice sell 10 @ 2156 until 60 as p2       -> ok
    alice accept p2                                       -> ok block 10@2156
    free alice                                            -> 0
    """)


def test_WORK_008_orders_over_in_a_contract_listed_earlier_end_too():
    """Of both days an order is left: the contract that was settled last is looked at first."""
    run("""
    work events 3
    contract M3 mark 2150                 -> ok
    contract M4 mark 2150                 -> ok
    alice buy 1 @ 2101 day in M3 as a1    -> ok rests 1
    alice buy 1 @ 2102 day in M3 as a2    -> ok rests 1
    alice buy 1 @ 2103 day in M3 as a3    -> ok rests 1
    alice buy 1 @ 2101 day in M4 as b1    -> ok rests 1
    alice buy 1 @ 2102 day in M4 as b2    -> ok rests 1
    alice buy 1 @ 2103 day in M4 as b3    -> ok rests 1
    settle 2150 in M4                     -> ok out b1 1 order_expired out b2 1 order_expired
    settle 2150 in M3                     -> ok out a1 1 order_expired out a2 1 order_expired
    tick                                  -> ok out a3 1 order_expired out b3 1 order_expired
    """)


def test_PEGS_002_a_peg_without_its_reference_is_gone_before_a_triggered_stop_enters():
    run("""
    contract H100 mark 2150 band 100  -> ok
    alice buy 5 @ 2140 as b1  -> ok rests 5
    carol buy 2 peg bid 0 as p1  -> ok rests 2
    bob sell 2 stop 2100 by mark as s1  -> ok waits at 2100
    state halt  -> ok
    mark 2090  -> ok
    alice cancel b1  -> ok drop 5 cancelled_by_user
    state continuous  -> ok out p1 2 no_reference_price enters s1 2 out s1 2 ioc_remainder
    """)
