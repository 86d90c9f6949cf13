"""Where two rules meet. The rule ids are those of docs/matching.md."""

from tests.scenarios.dsl import run


def test_MTCH_014_own_orders_end_what_a_fill_or_kill_can_count_on():
    run("""
    bob sell 2 @ 2150 as s1              -> ok rests 2
    alice sell 4 @ 2151                  -> ok rests 4
    bob buy 4 @ 2151 fok cancel_newest   -> ok drop 4 fok_not_fillable
    bob buy 4 @ 2151 fok decrement       -> ok drop 4 fok_not_fillable
    order s1                             -> open 0 of 2
    """)


def test_MTCH_014_cancel_oldest_looks_past_own_orders():
    run("""
    bob sell 2 @ 2150 as s1              -> ok rests 2
    alice sell 4 @ 2151                  -> ok rests 4
    bob buy 4 @ 2151 fok cancel_oldest   -> ok out s1 2 self_trade_prevented fill 4@2151
    """)


def test_MTCH_014_reduce_only_makers_do_not_count():
    run("""
    alice sell 4 @ 2140                  -> ok rests 4
    bob buy 4 @ 2140                     -> ok fill 4@2140
    bob sell 4 @ 2150 reduce_only        -> ok rests 4
    carol buy 4 @ 2150 fok               -> ok drop 4 fok_not_fillable
    carol buy 4 @ 2150 ioc               -> ok fill 4@2150
    """)


def test_MTCH_017_a_fill_or_kill_must_fill_what_is_left_after_the_clip():
    run("""
    alice sell 3 @ 2150                  -> ok rests 3
    bob buy 3 @ 2150                     -> ok fill 3@2150
    carol buy 3 @ 2149                   -> ok rests 3
    bob sell 5 @ 2149 fok reduce_only    -> ok fill 3@2149 drop 2 reduce_only_clipped
    """)


def test_MTCH_017_an_amended_reduce_only_order_is_clipped_again():
    run("""
    alice sell 5 @ 2150                  -> ok rests 5
    bob buy 3 @ 2150                     -> ok fill 3@2150
    bob sell 2 @ 2160 reduce_only as s1  -> ok rests 2
    bob amend s1 to 9                    -> ok drop 6 reduce_only_clipped rests 3
    order s1                             -> open 0 of 9
    """)


def test_MTCH_018_the_taker_not_the_position_ends_the_fill():
    run("""
    alice sell 4 @ 2150                  -> ok rests 4
    bob buy 4 @ 2150                     -> ok fill 4@2150
    bob sell 4 @ 2160 reduce_only as s1  -> ok rests 4
    bob sell 1 @ 2155                    -> ok rests 1
    carol buy 1 @ 2155                   -> ok fill 1@2155
    carol buy 3 @ 2160                   -> ok fill 3@2160
    order s1                             -> open 3 of 4
    carol buy 1 @ 2160                   -> ok out s1 1 reduce_only_clipped rests 1
    """)


def test_MTCH_023_decrement_then_the_rest_of_an_ioc_is_dropped():
    run("""
    bob sell 2 @ 2150 as s1              -> ok rests 2
    bob buy 5 @ 2150 ioc decrement       -> ok out s1 2 self_trade_prevented \
        drop 2 self_trade_prevented drop 3 ioc_remainder
    """)


def test_MTCH_023_a_maker_that_loses_lots_keeps_its_place():
    run("""
    bob sell 5 @ 2150 as s1              -> ok rests 5
    alice sell 5 @ 2150 as s2            -> ok rests 5
    bob buy 2 @ 2150 decrement           -> ok out s1 2 self_trade_prevented \
        drop 2 self_trade_prevented
    queue sells                          -> s1 s2
    book sells                           -> 8@2150
    """)


def test_MTCH_041_smaller_and_elsewhere_goes_to_the_back():
    run("""
    alice sell 5 @ 2150 as s1            -> ok rests 5
    carol sell 5 @ 2151 as s2            -> ok rests 5
    alice amend s1 to 2 @ 2151           -> ok rests 2
    queue sells                          -> s2 s1
    """)


def test_MTCH_042_an_amended_order_keeps_its_self_trade_mode():
    run("""
    bob sell 5 @ 2150 as s1              -> ok rests 5
    bob buy 2 @ 2140 cancel_newest as b1 -> ok rests 2
    bob amend b1 @ 2150                  -> ok drop 2 self_trade_prevented rests 0
    order s1                             -> open 0 of 5
    """)


def test_MTCH_042_filled_lots_count_in_the_new_total():
    run("""
    alice sell 5 @ 2150 as s1            -> ok rests 5
    bob buy 2 @ 2150                     -> ok fill 2@2150
    alice amend s1 to 9                  -> ok rests 7
    alice amend s1 open 9                -> ok rests 9
    order s1                             -> open 2 of 11
    """)


def test_MTCH_042_what_the_old_order_held_is_free_for_the_new_one():
    run("""
    shocks -10 10                        -> ok
    swap 2 worst 1                       -> ok
    account alice 100
    alice buy 10 @ 2150 as b1            -> ok rests 10
    alice amend b1 @ 2149                -> ok rests 10
    alice amend b1 to 11                 -> margin_insufficient
    order b1                             -> open 0 of 10
    """)


def test_RISK_004_reducing_counts_what_rests_on_the_same_side():
    run("""
    shocks -10 10                        -> ok
    swap 2 worst 1                       -> ok
    account alice 100
    bob sell 10 @ 2150                   -> ok rests 10
    alice buy 10 @ 2150                  -> ok fill 10@2150
    mark 2100                            -> ok
    alice sell 6 @ 2100 as s1            -> ok rests 6
    alice sell 5 @ 2100                  -> margin_insufficient
    alice amend s1 to 10                 -> ok rests 10
    """)


def test_RISK_001_a_mean_that_is_no_whole_number_is_rounded_up():
    run("""
    shocks -10 -5 0                      -> ok
    swap 3 worst 2                       -> ok
    alice buy 1 @ 2150                   -> ok rests 1
    requirement alice                    -> 8
    """)


def test_ACCT_001_the_book_can_be_full_and_says_so():
    lines = [f"alice sell 1 @ {2151 + i} -> ok rests 1" for i in range(31)]
    run("\n".join([*lines, "bob buy 1 @ 2160 -> book_full", "alice cancel all",
                   "bob buy 1 @ 2160 -> ok rests 1"]))  # fmt: skip


def test_MTCH_030_ids_of_open_orders_are_never_forgotten():
    lines = [f"alice sell 1 @ {2151 + i} client c{i} as s{i} -> ok rests 1" for i in range(15)]
    run("\n".join([*lines, "bob buy 1 @ 2100 client b -> book_full",
                   "bob buy 1 @ 2100 -> ok rests 1",
                   "alice cancel s7", "bob buy 1 @ 2100 client b -> ok rests 1",
                   "alice sell 1 @ 2151 client c0 -> client_order_id_repeated",
                   "alice sell 1 @ 2158 client c7 -> book_full"]))  # fmt: skip


def test_ACCT_011_what_an_order_may_lose_against_the_mark_is_not_free():
    run("""
    account alice 100
    alice buy 4 @ 2160 as b1             -> ok rests 4
    free alice                           -> 60
    alice withdraw 61                    -> withdrawal_exceeds_free
    alice withdraw 60                    -> ok
    """)


def test_MTCH_030_every_letter_of_an_id_counts():
    run("""
    alice sell 5 @ 2150 client abcdefghabcdefghabcdefghabcdefgh  -> ok rests 5
    alice sell 5 @ 2150 client Abcdefghabcdefghabcdefghabcdefgh  -> ok rests 5
    alice sell 5 @ 2150 client abcdefghAbcdefghabcdefghabcdefgh  -> ok rests 5
    alice sell 5 @ 2150 client abcdefghabcdefghAbcdefghabcdefgh  -> ok rests 5
    alice sell 5 @ 2150 client abcdefghabcdefghabcdefghAbcdefgh  -> ok rests 5
    alice sell 5 @ 2150 client abcdefghabcdefghabcdefghabcdefgh  -> client_order_id_repeated
    """)


def test_RISK_007_an_amended_order_gives_up_its_own_lots_first():
    run("""
    contract H100 mark 2150 tick 16_777_216 max 2_097_152   -> ok
    alice buy 1_048_575 @ 2150 as b1                        -> ok rests 1048575
    alice amend b1 @ 2149                                   -> ok rests 1048575
    alice amend b1 to 1_048_576                             -> ok rests 1048576
    alice amend b1 to 1_048_577                             -> gross_limit
    alice sell 1 @ 2160                                     -> gross_limit
    """)


def test_RISK_007_gains_that_were_never_settled_have_a_limit():
    """Thirty-three times 2^43 x 3,999 is the first above 2^60."""
    lines = ["contract H100 mark 1 tick 16_777_216 max 1_048_576 -> ok"]
    for number in range(33):
        other = ("bob", "carol")[number % 2]
        lines += [f"{other} deposit 9_007_199_254_740_992 -> ok"] * 4
        lines += [
            f"{other} sell 524_288 @ 1      -> ok rests 524288",
            "alice buy 524_288 @ 1        -> ok fill 524288@1",
            "mark 4_000                   -> ok",
            f"{other} buy 524_288 @ 4_000   -> ok rests 524288",
            "alice sell 524_288 @ 4_000   -> ok fill 524288@4000",
            "mark 1                       -> ok",
        ]
    lines[-3:] = [
        "alice sell 1 @ 4_000        -> account_money_limit",
        "settle 4_000                -> ok pays bob -597984791928766464 "
        "pays alice 1160794007861723136 pays carol -562809215932956672",
        "alice sell 1 @ 4_000        -> account_money_limit",
    ]
    run("\n".join(lines))
