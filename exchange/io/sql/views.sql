-- What the API reads of history. Each query is one statement, so its rows and the seq they are true
-- at come from one snapshot; a page without rows is one row of nulls besides that seq.

-- name: seq
SELECT last_seq FROM follower WHERE name = 'clearing';

-- name: seq_range
-- Commands from $1 up to before $2 (times) have a seq within these bounds, which are wide by up to
-- a minute.
SELECT
    coalesce((SELECT first_seq - 1 FROM journal_minute WHERE minute_ns <= $1
        ORDER BY minute_ns DESC LIMIT 1), 0) AS after_seq,
    coalesce((SELECT first_seq - 1 FROM journal_minute WHERE minute_ns >= $2
        ORDER BY minute_ns LIMIT 1), 9223372036854775807) AS until_seq;

-- name: fills_newest
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT e.account_idx, e.seq, e.leg, e.side, e.is_maker, e.contract_idx, e.order_id,
        e.price_ticks, e.qty_lots, e.position_lots, e.realised_usd_micros, e.ts_ns,
        o.client_order_id, t.block, e.trading_fee_usd_micros + e.clearing_fee_usd_micros
    FROM position_event AS e JOIN trade AS t USING (seq, leg)
    LEFT JOIN order_history AS o USING (account_idx, order_id)
    WHERE e.account_idx = $1 AND e.seq > $2 AND e.seq <= $3 AND e.ts_ns >= $4 AND e.ts_ns < $5
        AND ($6::bigint IS NULL OR e.contract_idx = $6)
        AND ($7::bigint IS NULL OR e.order_id = $7)
        AND (e.seq, e.leg, e.side) < ($8, $9, $10)
    ORDER BY e.seq DESC, e.leg DESC, e.side DESC LIMIT $11
) AS page ON true
WHERE follower.name = 'clearing';

-- name: fills_oldest
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT e.account_idx, e.seq, e.leg, e.side, e.is_maker, e.contract_idx, e.order_id,
        e.price_ticks, e.qty_lots, e.position_lots, e.realised_usd_micros, e.ts_ns,
        o.client_order_id, t.block, e.trading_fee_usd_micros + e.clearing_fee_usd_micros
    FROM position_event AS e JOIN trade AS t USING (seq, leg)
    LEFT JOIN order_history AS o USING (account_idx, order_id)
    WHERE e.account_idx = $1 AND e.seq > $2 AND e.seq <= $3 AND e.ts_ns >= $4 AND e.ts_ns < $5
        AND ($6::bigint IS NULL OR e.contract_idx = $6)
        AND ($7::bigint IS NULL OR e.order_id = $7)
        AND (e.seq, e.leg, e.side) > ($8, $9, $10)
    ORDER BY e.seq, e.leg, e.side LIMIT $11
) AS page ON true
WHERE follower.name = 'clearing';

-- name: trades_newest
-- Of blocks those that traded up to $8 alone.
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT seq, leg, contract_idx, price_ticks, qty_lots, taker_side, taker_account_idx,
        maker_account_idx, taker_order_id, maker_order_id, ts_ns, block, kind, implied
    FROM trade
    WHERE contract_idx = $1 AND kind <> 2 AND seq > $2 AND seq <= $3 AND ts_ns >= $4 AND ts_ns < $5
        AND (seq, leg) < ($6, $7) AND (block = 0 OR ts_ns <= $8)
    ORDER BY seq DESC, leg DESC LIMIT $9
) AS page ON true
WHERE follower.name = 'clearing';

-- name: blocks_since
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT seq, leg, contract_idx, price_ticks, qty_lots, taker_side, taker_account_idx,
        maker_account_idx, taker_order_id, maker_order_id, ts_ns, block, kind, implied
    FROM trade
    WHERE block > 0 AND seq > $1 AND seq <= $2 AND ts_ns > $3
    ORDER BY seq, leg
) AS page ON true
WHERE follower.name = 'clearing';

-- name: candles_since
-- One for each contract, of the trades that make candles: no blocks, no legs.
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT contract_idx, 60::bigint, $3::bigint, (array_agg(price_ticks ORDER BY seq, leg))[1],
        max(price_ticks), min(price_ticks),
        (array_agg(price_ticks ORDER BY seq DESC, leg DESC))[1],
        sum(qty_lots)::bigint, sum(qty_lots * price_ticks)::bigint, count(*)
    FROM trade
    WHERE block = 0 AND kind <> 2 AND seq > $1 AND seq <= $2 AND ts_ns >= $3
    GROUP BY contract_idx
) AS page ON true
WHERE follower.name = 'clearing';

-- name: trades_oldest
-- Of blocks those that traded up to $8 alone.
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT seq, leg, contract_idx, price_ticks, qty_lots, taker_side, taker_account_idx,
        maker_account_idx, taker_order_id, maker_order_id, ts_ns, block, kind, implied
    FROM trade
    WHERE contract_idx = $1 AND kind <> 2 AND seq > $2 AND seq <= $3 AND ts_ns >= $4 AND ts_ns < $5
        AND (seq, leg) > ($6, $7) AND (block = 0 OR ts_ns <= $8)
    ORDER BY seq, leg LIMIT $9
) AS page ON true
WHERE follower.name = 'clearing';

-- name: ledger_newest
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT p.version, t.transfer_id, t.seq, t.leg, t.reason, t.ref_id, p.amount_usd_micros,
        p.balance_usd_micros, t.ts_ns
    FROM ledger_account AS a JOIN posting AS p USING (ledger_account_id)
    JOIN transfer AS t USING (transfer_id, ts_ns)
    WHERE a.code = 'cash:' || $1::bigint AND t.seq > $2 AND t.seq <= $3
        AND p.ts_ns >= $4 AND p.ts_ns < $5 AND t.ts_ns >= $4 AND t.ts_ns < $5 AND p.version < $6
    ORDER BY p.version DESC LIMIT $7
) AS page ON true
WHERE follower.name = 'clearing';

-- name: ledger_oldest
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT p.version, t.transfer_id, t.seq, t.leg, t.reason, t.ref_id, p.amount_usd_micros,
        p.balance_usd_micros, t.ts_ns
    FROM ledger_account AS a JOIN posting AS p USING (ledger_account_id)
    JOIN transfer AS t USING (transfer_id, ts_ns)
    WHERE a.code = 'cash:' || $1::bigint AND t.seq > $2 AND t.seq <= $3
        AND p.ts_ns >= $4 AND p.ts_ns < $5 AND t.ts_ns >= $4 AND t.ts_ns < $5 AND p.version > $6
    ORDER BY p.version LIMIT $7
) AS page ON true
WHERE follower.name = 'clearing';

-- name: variations_newest
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT account_idx, seq, contract_idx, qty_lots, price_ticks, amount_usd_micros, ts_ns
    FROM variation
    WHERE account_idx = $1 AND seq > $2 AND seq <= $3 AND ts_ns >= $4 AND ts_ns < $5
        AND ($6::bigint IS NULL OR contract_idx = $6) AND seq < $7
    ORDER BY seq DESC LIMIT $8
) AS page ON true
WHERE follower.name = 'clearing';

-- name: orders_newest
-- $7: true for open orders only, false for ended ones only, null for both. Without those of $9.
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT account_idx, order_id, contract_idx, side, order_type, tif, stp, flags, price_ticks,
        qty_lots, open_lots, filled_lots, filled_tick_lots, cancelled_lots, code,
        client_order_id, expires_ns, placed_ns, updated_ns, updated_seq,
    display_lots, peg, offset_ticks, trigger_ticks, trigger_bits, link_id, parent_id
    FROM order_history
    WHERE account_idx = $1 AND order_id > $2 AND order_id <= $3
        AND placed_ns >= $4 AND placed_ns < $5
        AND ($6::bigint IS NULL OR contract_idx = $6)
        AND ($7::boolean IS NULL OR (open_lots > 0) = $7)
        AND order_id < $8 AND order_id <> ALL ($9::bigint[])
    ORDER BY order_id DESC LIMIT $10
) AS page ON true
WHERE follower.name = 'clearing';

-- name: order
SELECT account_idx, order_id, contract_idx, side, order_type, tif, stp, flags, price_ticks,
    qty_lots, open_lots, filled_lots, filled_tick_lots, cancelled_lots, code,
    client_order_id, expires_ns, placed_ns, updated_ns, updated_seq,
    display_lots, peg, offset_ticks, trigger_ticks, trigger_bits, link_id, parent_id
FROM order_history WHERE account_idx = $1 AND order_id = $2;

-- name: order_by_client
SELECT account_idx, order_id, contract_idx, side, order_type, tif, stp, flags, price_ticks,
    qty_lots, open_lots, filled_lots, filled_tick_lots, cancelled_lots, code,
    client_order_id, expires_ns, placed_ns, updated_ns, updated_seq,
    display_lots, peg, offset_ticks, trigger_ticks, trigger_bits, link_id, parent_id
FROM order_history WHERE account_idx = $1 AND client_order_id = $2
ORDER BY order_id DESC LIMIT 1;

-- name: klines_newest
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT contract_idx, interval_s, open_ns, open_ticks, high_ticks, low_ticks, close_ticks,
        volume_lots, volume_tick_lots, trade_count
    FROM kline
    WHERE contract_idx = $1 AND interval_s = $2 AND open_ns >= $3 AND open_ns < $4
    ORDER BY open_ns DESC LIMIT $5
) AS page ON true
WHERE follower.name = 'clearing';

-- name: transfer
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT t.transfer_id, t.seq, t.leg, t.reason, t.ref_id, t.ts_ns, a.code, who.account_id,
        p.version, p.amount_usd_micros, p.balance_usd_micros
    FROM transfer AS t JOIN posting AS p USING (transfer_id, ts_ns)
    JOIN ledger_account AS a USING (ledger_account_id) LEFT JOIN account AS who USING (account_idx)
    WHERE t.transfer_id = $1
    ORDER BY p.ledger_account_id
) AS page ON true
WHERE follower.name = 'clearing';

-- name: own_statement
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT t.transfer_id, t.seq, t.leg, t.reason, t.ref_id, t.ts_ns, a.code, who.account_id,
        p.version, p.amount_usd_micros, p.balance_usd_micros
    FROM ledger_account AS a JOIN posting AS p USING (ledger_account_id)
    JOIN transfer AS t USING (transfer_id, ts_ns) LEFT JOIN account AS who USING (account_idx)
    WHERE a.account_idx = $1 AND t.seq > $2 AND t.seq <= $3
        AND p.ts_ns >= $4 AND p.ts_ns < $5 AND t.ts_ns >= $4 AND t.ts_ns < $5
    ORDER BY t.transfer_id, a.ledger_account_id OFFSET $6 LIMIT $7
) AS page ON true
WHERE follower.name = 'clearing';
