"""Corners of implied prices: what wakes a combination, and what a leg's trade leaves behind."""

from tests.scenarios.dsl import run

SPREAD = """
contract M3 mark 2150                      -> ok
contract M4 mark 2180                      -> ok
combination S = M3 - M4 implied            -> ok
"""


def test_IMPL_005_a_peg_that_moves_brings_together_who_rests():
    """The bid that it follows makes no implied price itself: the peg is a tick better."""
    run(f"""{SPREAD}
    carol sell 2 @ 2152 in M3              -> ok rests 2
    alice buy 1 @ 2178 in M4               -> ok rests 1
    dave buy 2 peg bid 1 in M4 as p1       -> ok rests 2
    bob buy 2 @ -28 in S as b1             -> ok rests 2
    alice buy 1 @ 2179 in M4               -> ok moves p1 @2180 \
        implied S b1 2@-28 M3 2@2152 M4 2@2180 rests 1
    """)


def test_IMPL_005_what_a_mark_let_meet_in_a_halt_of_the_exchange_trades_behind_it():
    run("""
    contract M3 mark 2000 band 500         -> ok
    contract M4 mark 2000                  -> ok
    combination S = M3 - M4 implied        -> ok
    carol sell 5 @ 2200 in M3              -> ok rests 5
    dave buy 5 @ 2190 in M4                -> ok rests 5
    bob buy 5 @ 20 in S as b1              -> ok rests 5
    halt                                   -> ok
    mark 2100 in M3                        -> ok
    resume                                 -> ok implied S b1 5@10 M3 5@2200 M4 5@2190
    """)


def test_IMPL_006_a_cancel_that_uncovers_a_price_in_the_band_counts_with_the_next_tick():
    """c1 is below the band since the mark moved, and hides the offer behind it."""
    run("""
    contract M3 mark 2000 band 500         -> ok
    contract M4 mark 2000                  -> ok
    combination S = M3 - M4 implied        -> ok
    carol sell 1 @ 1950 in M3 as c1        -> ok rests 1
    carol sell 1 @ 2060 in M3              -> ok rests 1
    mark 2100 in M3                        -> ok
    dave buy 1 @ 2190 in M4                -> ok rests 1
    bob buy 1 @ -100 in S as b1            -> ok rests 1
    carol cancel c1                        -> ok drop 1 cancelled_by_user
    tick                                   -> ok implied S b1 1@-130 M3 1@2060 M4 1@2190
    """)


def test_IMPL_006_a_leg_does_not_trade_below_its_guard_either():
    run("""
    contract M3 mark 2000                             -> ok
    contract M4 mark 2000                             -> ok
    combination S = M3 - M4 implied                   -> ok
    guard velocity 100 within 1_000 call 60 in M3     -> ok
    carol sell 5 @ 1979 in M3                         -> ok rests 5
    dave buy 5 @ 1990 in M4                           -> ok rests 5
    bob buy 5 @ 20 in S as b1                         -> ok rests 5
    tick                                              -> ok
    mark 1998 in M3            -> ok implied S b1 5@-11 M3 5@1979 M4 5@1990
    """)


def test_IMPL_006_a_wider_guard_lets_trade_what_it_was_in_the_way_of():
    run("""
    contract M3 mark 2000                             -> ok
    contract M4 mark 2000                             -> ok
    combination S = M3 - M4 implied                   -> ok
    guard velocity 100 within 1_000 call 60 in M4     -> ok
    carol sell 3 @ 2010 in M3                         -> ok rests 3
    bob buy 3 @ -40 in S as b1                        -> ok rests 3
    dave buy 3 @ 2055 in M4                           -> ok rests 3
    guard velocity 300 within 1_000 call 60 in M4     -> ok \
        implied S b1 3@-45 M3 3@2010 M4 3@2055
    """)


def test_IMPL_006_a_wider_band_lets_trade_what_it_was_in_the_way_of():
    run("""
    contract M3 mark 2000 band 500         -> ok
    contract M4 mark 2000                  -> ok
    combination S = M3 - M4 implied        -> ok
    carol sell 5 @ 2200 in M3              -> ok rests 5
    dave buy 5 @ 2190 in M4                -> ok rests 5
    bob buy 5 @ 20 in S as b1              -> ok rests 5
    band 1000 in M3                        -> ok implied S b1 5@10 M3 5@2200 M4 5@2190
    """)


def test_IMPL_008_a_reduce_only_order_without_anything_to_reduce_ends_and_the_next_is_met():
    run(f"""{SPREAD}
    carol sell 1 @ 2150 in M3              -> ok rests 1
    erin buy 1 @ 2150 in M3                -> ok fill 1@2150
    erin sell 1 @ 2152 reduce_only in M3 as r1   -> ok rests 1
    carol buy 1 @ 2149 in M3               -> ok rests 1
    erin sell 1 @ 2149 in M3               -> ok fill 1@2149
    carol sell 1 @ 2153 in M3              -> ok rests 1
    dave buy 1 @ 2180 in M4                -> ok rests 1
    bob buy 1 @ -27 in S                   -> ok out r1 1 reduce_only_clipped \
        implied 1@-27 M3 1@2153 M4 1@2180 rests 0
    """)


def test_IMPL_010_the_guard_of_a_leg_measures_from_an_implied_trade():
    """From 2010 it reaches to 2030; from the mark it would to 2020 only."""
    run("""
    contract M3 mark 2000                             -> ok
    contract M4 mark 2000                             -> ok
    combination S = M3 - M4 implied                   -> ok
    guard velocity 100 within 1_000 call 60 in M4     -> ok
    carol sell 1 @ 2010 in M3                         -> ok rests 1
    dave buy 1 @ 2010 in M4                           -> ok rests 1
    bob buy 1 @ 0 in S                                -> ok implied 1@0 M3 1@2010 M4 1@2010
    time 2_000
    carol sell 1 @ 2030 in M4                         -> ok rests 1
    dave buy 1 @ 2030 in M4                           -> ok fill 1@2030
    """)


def test_IMPL_010_blocks_are_judged_by_the_day_that_implied_trades_widen():
    run("""
    contract M3 mark 2000 blocks 5 range 0            -> ok
    contract M4 mark 2000 blocks 5 range 0            -> ok
    combination S = M3 - M4 implied                   -> ok
    carol sell 1 @ 2010 in M3                         -> ok rests 1
    bob buy 1 @ 5 in S as b1                          -> ok rests 1
    dave buy 1 @ 2006 in M4                           -> ok \
        implied S b1 1@5 M3 1@2010 M4 1@2005 rests 0
    alice propose erin buy 5 @ 2000 until 60 in M3    -> block_price_out_of_range
    alice propose erin buy 5 @ 2010 until 60 in M3    -> ok
    alice propose erin buy 5 @ 2000 until 60 in M4    -> block_price_out_of_range
    alice propose erin buy 5 @ 2005 until 60 in M4    -> ok
    """)


def test_QUOT_003_an_implied_trade_of_a_combinations_quote_counts_for_its_group():
    run("""
    contract M4 mark 2100                             -> ok
    contract M5 mark 2150                             -> ok
    contract M6 mark 2200                             -> ok
    combination Q2 = M4 + M5 + M6 implied             -> ok
    alice mmp window 100 fills 1                      -> ok
    alice quote 5 @ 2145 / 5 @ 2155 in Q2 as q1       -> ok buy rests 5 sell rests 5
    dave sell 9 @ 2150 in M5                          -> ok rests 9
    dave sell 9 @ 2200 in M6                          -> ok rests 9
    carol sell 2 @ 2085 in M4                         -> ok \
        implied Q2 q1.buy 2@2145 M4 2@2085 M5 2@2150 M6 2@2200 hit alice group 0 \
        out q1.buy 3 mmp_triggered out q1.sell 5 mmp_triggered rests 0
    """)


def test_WORK_001_a_minimum_and_implied_prices_do_not_let_a_taker_meet_more():
    run(f"""
    work makers 4
    {SPREAD}
    erin sell 1 @ -20 in S                            -> ok rests 1
    alice sell 1 @ 2151 in M3                         -> ok rests 1
    alice sell 1 @ 2152 in M3                         -> ok rests 1
    alice sell 1 @ 2153 in M3                         -> ok rests 1
    alice sell 1 @ 2154 in M3                         -> ok rests 1
    alice sell 1 @ 2155 in M3                         -> ok rests 1
    bob buy 9 @ 2155 min 1 in M3                      -> ok fill 1@2151 fill 1@2152 \
        fill 1@2153 fill 1@2154 drop 5 makers_limit rests 0
    """)
