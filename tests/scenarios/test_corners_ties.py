"""Corners of what is tied or looks ahead: legs of a pair, brackets, fill or kill, halts, limits."""

from tests.scenarios.dsl import run


def test_MTCH_014_an_own_order_behind_a_display_is_met_before_what_is_hidden():
    run("""
    bob sell 9 @ 2150 display 2          -> ok rests 9
    alice sell 3 @ 2150                  -> ok rests 3
    alice buy 5 @ 2150 fok cancel_newest -> ok drop 5 fok_not_fillable
    alice buy 2 @ 2150 fok cancel_newest -> ok fill 2@2150
    """)


def test_MTCH_014_what_a_display_shows_before_an_own_order_counts():
    run("""
    bob sell 9 @ 2150 display 5          -> ok rests 9
    alice sell 3 @ 2150                  -> ok rests 3
    alice buy 5 @ 2150 fok cancel_newest -> ok fill 5@2150
    """)


def test_MTCH_056_two_legs_that_rest_stand_on_two_sides_and_do_not_meet():
    run("""
    alice sell 5 @ 2200 as up            -> ok rests 5
    alice sell 5 @ 2210 oco up           -> link_invalid
    alice buy 5 @ 2200 oco up            -> link_invalid
    alice buy 5 @ 2200 ioc oco up        -> link_invalid
    alice buy 5 peg bid 0 oco up         -> link_invalid
    alice buy 5 @ 2199 oco up as low     -> ok rests 5
    alice amend low @ 2200               -> link_invalid
    alice amend up @ 2199                -> link_invalid
    alice amend up @ 2201                -> ok rests 5
    alice amend low @ 2200               -> ok rests 5
    bob sell 1 @ 2200                    -> ok fill 1@2200 out up 5 other_leg_done
    """)


def test_MTCH_056_a_call_counts_one_leg_only():
    run("""
    call opening                         -> ok call opening
    alice sell 5 @ 2200 as up            -> ok rests 5
    alice sell 5 @ 2190 oco up           -> link_invalid
    alice buy 5 @ 2210 oco up            -> link_invalid
    alice buy 5 @ 2100 oco up            -> ok rests 5
    bob buy 9 @ 2200 as b1               -> ok rests 9
    """)


def test_MTCH_057_an_amended_parent_stays_between_its_children():
    run("""
    bob buy 5 @ 2150 take 2200 lose 2110 as b1    -> ok rests 5
    bob amend b1 @ 2110                           -> bracket_invalid
    bob amend b1 @ 2200                           -> bracket_invalid
    bob amend b1 @ 2111                           -> ok rests 5
    bob sell 5 @ 2250 take 2200 lose 2310 as s1   -> ok rests 5
    bob amend s1 @ 2200                           -> bracket_invalid
    bob amend s1 @ 2310                           -> bracket_invalid
    bob amend s1 @ 2309                           -> ok rests 5
    bob sell 5 @ 2250 take 2200 as s2             -> ok rests 5
    bob amend s2 @ 2200                           -> bracket_invalid
    bob amend s2 @ 2350                           -> ok rests 5
    """)


def test_PROT_003_no_call_uncrosses_while_the_exchange_is_halted():
    run("""
    call opening                         -> ok call opening
    alice sell 5 @ 2140 as s1            -> ok rests 5
    bob buy 5 @ 2150 as b1               -> ok rests 5
    halt                                 -> ok
    uncross                              -> exchange_halted
    state continuous                     -> exchange_halted
    state close_only                     -> exchange_halted
    state halt                           -> ok
    state continuous                     -> exchange_halted
    resume                               -> ok
    state continuous                     -> ok uncross 5@2150 meet b1 s1 5
    """)


def test_WORK_004_a_tick_ends_no_more_proposals_than_a_command_may():
    run("""
    work events 3
    contract H100 mark 2150                     -> ok
    blocks 5 range 200                          -> ok
    alice propose bob buy 5 @ 2150 until 50 as p1    -> ok
    alice propose bob buy 5 @ 2150 until 50 as p2    -> ok
    alice propose bob buy 5 @ 2150 until 50 as p3    -> ok
    time 60
    tick                                        -> ok ended p1 deal_expired ended p2 deal_expired
    tick                                        -> ok ended p3 deal_expired
    """)


def test_BLCK_004_a_call_of_a_close_only_contract_takes_no_block_that_opens():
    run("""
    blocks 5 range 200                          -> ok
    state close_only                            -> ok
    state auction                               -> ok call manual
    alice propose bob buy 5 @ 2150 until 50 as p1    -> ok
    bob accept p1                               -> contract_close_only
    """)


def test_PROT_004_a_block_counts_what_rests_in_combinations_where_the_limit_does():
    run("""
    contract M3 mark 2150                              -> ok
    contract M4 mark 2180                              -> ok
    combination S = M3 - M4 implied                    -> ok
    blocks 5 range 200 in M3                           -> ok
    bob limits by_legs position 7                      -> ok
    bob buy 5 @ -30 in S                               -> ok rests 5
    alice propose bob sell 5 @ 2150 until 50 in M3 as p1  -> ok
    bob accept p1                                      -> position_limit
    """)


def test_CALL_010_a_guard_that_stops_a_resting_order_stops_what_is_worse():
    """The implied price of 2151 is within the guard, and worse than the order at 2120."""
    run("""
    contract M3 mark 2150                              -> ok
    contract M4 mark 2180                              -> ok
    combination S = M3 - M4 implied                    -> ok
    guard velocity 100 within 1_000 call 60 in M3      -> ok
    alice sell 1 @ 2120 in M3                          -> ok rests 1
    bob sell 1 @ -29 in S                              -> ok rests 1
    dave sell 1 @ 2180 in M4                           -> ok rests 1
    carol buy 1 @ 2151 in M3                           -> ok call volatility rests 1
    """)


def test_MTCH_053_a_trailing_stop_sees_trades_in_their_turn():
    """Seen behind the implied trade at 2151, the one at 2150 would trigger the stop."""
    run("""
    contract M3 mark 2150                              -> ok
    contract M4 mark 2180                              -> ok
    combination S = M3 - M4 implied                    -> ok
    alice sell 1 @ 2149 in M3                          -> ok rests 1
    bob buy 1 @ 2149 in M3                             -> ok fill 1@2149 rests 0
    carol sell 1 trail 1 in M3 as t1                   -> ok waits at 2148
    alice sell 1 @ 2150 in M3                          -> ok rests 1
    alice sell 1 @ 2152 in M3                          -> ok rests 1
    bob sell 1 @ -29 in S as s1                        -> ok rests 1
    alice sell 1 @ 2180 in M4                          -> ok rests 1
    dave buy 3 @ 2152 in M3                            -> ok fill 1@2150 moves t1 2149 \
        implied S s1 1@-29 M3 1@2151 M4 1@2180 moves t1 2150 fill 1@2152 moves t1 2151 rests 0
    """)


def test_CALL_009_a_window_that_is_over_holds_no_implied_price_back():
    """At 2030 the leg is beyond the old window, from 2000, and within the new, from 2015."""
    run("""
    contract M3 mark 2000                                -> ok
    contract M4 mark 2000                                -> ok
    combination S = M3 - M4 implied                      -> ok
    guard velocity 100 within 1_000 call 60 in M4        -> ok
    carol sell 1 @ 2015 in M4                            -> ok rests 1
    dave buy 1 @ 2015 in M4                              -> ok fill 1@2015 rests 0
    carol sell 5 @ 2010 in M3                            -> ok rests 5
    bob buy 5 @ -20 in S as b1                           -> ok rests 5
    dave buy 3 @ 2030 in M4                              -> ok rests 3
    time 900
    tick                                                 -> ok
    time 1_100
    tick                                                 -> ok implied S b1 3@-20 \
        M3 3@2010 M4 3@2030
    """)


def test_CALL_005_a_limit_beyond_the_edge_goes_before_market_orders():
    """The band ended at 2365 when the call began; the mark has moved since."""
    run("""
    contract H100 mark 2150 band 1000    -> ok
    call opening                         -> ok call opening
    carol buy 2 market gfa as m1         -> ok rests 2
    mark 2400                            -> ok
    alice buy 1 @ 2400 as b1             -> ok rests 1
    bob sell 2 @ 2200 as s1              -> ok rests 2
    uncross                              -> ok uncross 2@2365 imbalance 1 \
        meet b1 s1 1 meet m1 s1 1 out m1 1 auction_ended
    """)


def test_CALL_007_own_orders_on_both_sides_give_a_call_no_second_price():
    run("""
    alice sell 1 @ 2150                  -> ok rests 1
    bob buy 1 @ 2150                     -> ok fill 1@2150
    call manual                          -> ok call manual
    bob sell 1 @ 2100 reduce_only as r1  -> ok rests 1
    bob sell 1 @ 2100 reduce_only as r2  -> ok rests 1
    bob buy 1 @ 2140 as b1               -> ok rests 1
    bob buy 1 @ 2130 as b2               -> ok rests 1
    uncross                              -> ok uncross 1@2140 meet b1 r1 1 \
        out r2 1 reduce_only_clipped
    """)


def test_CALL_010_what_reduces_hides_no_price_beyond_the_daily_limit():
    """The lot at 2101 can reduce nothing, so the second lot would trade at 2400."""
    run("""
    contract H100 mark 2150              -> ok
    guard daily 100 0 call 100           -> ok
    alice sell 1 @ 2150                  -> ok rests 1
    bob buy 1 @ 2150                     -> ok fill 1@2150
    call closing until 100               -> ok call closing
    bob sell 1 @ 2100                    -> ok rests 1
    bob sell 1 @ 2101 reduce_only        -> ok rests 1
    carol sell 1 @ 2400                  -> ok rests 1
    dave buy 2 @ 2500                    -> ok rests 2
    time 100
    tick                                 -> ok call volatility
    """)
