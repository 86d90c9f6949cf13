-- What clearing reads at its start, and changes with each transaction. New rows come by COPY.

-- name: clearing_seq
SELECT last_seq FROM follower WHERE name = 'clearing';

-- name: make_staging
-- Rows that come by the ten thousand are copied here first: COPY is several times cheaper for the
-- sender than arrays.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_position (LIKE position) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS staged_order_change (
    account_idx           bigint NOT NULL,
    order_id              bigint NOT NULL,
    price_ticks           bigint,
    qty_lots              bigint,
    open_lots             bigint,
    filled_more_lots      bigint NOT NULL,
    filled_more_tick_lots bigint NOT NULL,
    cancelled_more_lots   bigint NOT NULL,
    code                  bigint NOT NULL,
    updated_ns            bigint NOT NULL,
    updated_seq           bigint NOT NULL,
    tif                   bigint,
    expires_ns            bigint,
    flags                 bigint,
    display_lots          bigint,
    offset_ticks          bigint,
    trigger_ticks         bigint,
    trigger_bits          bigint,
    link_id               bigint
) ON COMMIT DELETE ROWS;

-- name: move_clearing
-- No row comes back when another clearing has moved it: then nothing of this one may be written.
-- For the rest of the transaction each changed order is found by its key: the planner knows nothing
-- of what is staged and would rather read all orders there are.
UPDATE follower SET last_seq = $2, updated_at = now()
WHERE name = 'clearing' AND last_seq = $1
RETURNING last_seq, set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true);

-- name: server_pid
-- Of the process that serves this connection: a child of the server's.
SELECT pg_backend_pid();

-- name: clearing_lock
SELECT pg_try_advisory_lock(hashtextextended('wellhead clearing', 0));

-- name: last_transfer_id
SELECT greatest((SELECT max(transfer_id) FROM transfer), last_transfer_id) FROM ledger_archived;

-- name: archived_seq
SELECT last_seq FROM ledger_archived;

-- name: make_months
-- The months of these times get their partitions, where they have none yet.
SELECT make_ledger_months($1::bigint[]);

-- name: ledger_accounts
SELECT ledger_account_id, code, account_idx FROM ledger_account ORDER BY ledger_account_id;

-- name: balances
SELECT ledger_account_id, version, balance_usd_micros, updated_seq FROM balance;

-- name: contracts
SELECT contract_idx, symbol, tick_value_usd_micros, listed_seq, listed_ns, ends_ns, state,
    mark_ticks, settle_ticks, last_trade_ticks, volume_lots, open_interest_lots, updated_seq,
    legs, fine_usd_micros
FROM contract ORDER BY contract_idx;

-- name: positions
SELECT account_idx, contract_idx, qty_lots, entry_usd_micros, realised_usd_micros,
    carry_usd_micros, updated_seq
FROM position ORDER BY contract_idx, account_idx;

-- name: put_balances
INSERT INTO balance (ledger_account_id, version, balance_usd_micros, updated_seq)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
ON CONFLICT (ledger_account_id) DO UPDATE SET
    version = excluded.version,
    balance_usd_micros = excluded.balance_usd_micros,
    updated_seq = excluded.updated_seq;

-- name: put_contracts
INSERT INTO contract (contract_idx, symbol, tick_value_usd_micros, listed_seq, listed_ns, ends_ns,
    state, mark_ticks, settle_ticks, last_trade_ticks, volume_lots, open_interest_lots, updated_seq,
    legs, fine_usd_micros)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
    $12::bigint[], $13::bigint[], $14::text[], $15::bigint[])
ON CONFLICT (contract_idx) DO UPDATE SET
    ends_ns = excluded.ends_ns,
    state = excluded.state,
    mark_ticks = excluded.mark_ticks,
    settle_ticks = excluded.settle_ticks,
    last_trade_ticks = excluded.last_trade_ticks,
    volume_lots = excluded.volume_lots,
    open_interest_lots = excluded.open_interest_lots,
    fine_usd_micros = excluded.fine_usd_micros,
    updated_seq = excluded.updated_seq;

-- name: put_positions
INSERT INTO position (account_idx, contract_idx, qty_lots, entry_usd_micros, realised_usd_micros,
    carry_usd_micros, updated_seq)
SELECT account_idx, contract_idx, qty_lots, entry_usd_micros, realised_usd_micros,
    carry_usd_micros, updated_seq
FROM staged_position
ON CONFLICT (account_idx, contract_idx) DO UPDATE SET
    qty_lots = excluded.qty_lots,
    entry_usd_micros = excluded.entry_usd_micros,
    realised_usd_micros = excluded.realised_usd_micros,
    carry_usd_micros = excluded.carry_usd_micros,
    updated_seq = excluded.updated_seq;

-- name: change_orders
-- Returns one row an order that was there: an order clearing never saw is an error.
UPDATE order_history AS o SET
    price_ticks = coalesce(c.price_ticks, o.price_ticks),
    qty_lots = coalesce(c.qty_lots, o.qty_lots),
    open_lots = coalesce(c.open_lots, o.open_lots),
    filled_lots = o.filled_lots + c.filled_more_lots,
    filled_tick_lots = o.filled_tick_lots + c.filled_more_tick_lots,
    cancelled_lots = o.cancelled_lots + c.cancelled_more_lots,
    code = c.code,
    updated_ns = c.updated_ns,
    updated_seq = c.updated_seq,
    tif = coalesce(c.tif, o.tif),
    expires_ns = coalesce(c.expires_ns, o.expires_ns),
    flags = coalesce(c.flags, o.flags),
    display_lots = coalesce(c.display_lots, o.display_lots),
    offset_ticks = coalesce(c.offset_ticks, o.offset_ticks),
    trigger_ticks = coalesce(c.trigger_ticks, o.trigger_ticks),
    trigger_bits = coalesce(c.trigger_bits, o.trigger_bits),
    link_id = coalesce(c.link_id, o.link_id)
FROM staged_order_change AS c
WHERE o.account_idx = c.account_idx AND o.order_id = c.order_id;

-- name: put_klines
INSERT INTO kline (contract_idx, interval_s, open_ns, open_ticks, high_ticks, low_ticks,
    close_ticks, volume_lots, volume_tick_lots, trade_count)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
ON CONFLICT (contract_idx, interval_s, open_ns) DO UPDATE SET
    high_ticks = greatest(kline.high_ticks, excluded.high_ticks),
    low_ticks = least(kline.low_ticks, excluded.low_ticks),
    close_ticks = excluded.close_ticks,
    volume_lots = kline.volume_lots + excluded.volume_lots,
    volume_tick_lots = kline.volume_tick_lots + excluded.volume_tick_lots,
    trade_count = kline.trade_count + excluded.trade_count;

-- name: put_minutes
INSERT INTO journal_minute (minute_ns, first_seq)
SELECT * FROM unnest($1::bigint[], $2::bigint[])
ON CONFLICT (minute_ns) DO NOTHING;

-- name: cash_at
-- Cash of each account after command $1: what it is now, less what was posted since.
SELECT account_idx,
    (coalesce(balance_usd_micros, 0) - coalesce(since.usd_micros, 0))::bigint AS usd_micros
FROM ledger_account
LEFT JOIN balance USING (ledger_account_id)
LEFT JOIN (
    SELECT ledger_account_id, sum(amount_usd_micros) AS usd_micros
    FROM transfer JOIN posting USING (transfer_id, ts_ns) WHERE seq > $1 GROUP BY ledger_account_id
) AS since USING (ledger_account_id)
WHERE code = 'cash:' || account_idx
ORDER BY account_idx;

-- name: counted_at
-- What was counted of each account's collateral after command $1.
SELECT DISTINCT ON (account_idx) account_idx, counted_usd_micros
FROM collateral_count WHERE seq <= $1 ORDER BY account_idx, seq DESC;

-- name: fee_rates_at
-- What each account paid after command $1.
SELECT DISTINCT ON (account_idx) account_idx, maker, taker, clearing
FROM fee_rate WHERE seq <= $1 ORDER BY account_idx, seq DESC;

-- name: units_at
-- Units of each asset by account after command $1, those that were leaving included.
SELECT account_idx, split_part(code, ':', 2) AS symbol,
    sum(coalesce(balance_usd_micros, 0) - coalesce(since.units, 0))::bigint AS units
FROM ledger_account
LEFT JOIN balance USING (ledger_account_id)
LEFT JOIN (
    SELECT ledger_account_id, sum(amount_usd_micros) AS units
    FROM transfer JOIN posting USING (transfer_id, ts_ns) WHERE seq > $1 GROUP BY ledger_account_id
) AS since USING (ledger_account_id)
WHERE code ~ '^(asset|leaving):'
GROUP BY account_idx, 2
HAVING sum(coalesce(balance_usd_micros, 0) - coalesce(since.units, 0)) <> 0;

-- name: positions_at
-- Lots after command $1: what they are now, less what was traded or closed since.
SELECT account_idx, contract_idx, (qty_lots - coalesce(since.lots, 0))::bigint AS qty_lots
FROM position
LEFT JOIN (
    SELECT account_idx, contract_idx, sum(lots) AS lots
    FROM (
        SELECT account_idx, contract_idx, lots
        FROM trade, LATERAL (VALUES
            (taker_account_idx, CASE taker_side WHEN 0 THEN qty_lots ELSE -qty_lots END),
            (maker_account_idx, CASE taker_side WHEN 0 THEN -qty_lots ELSE qty_lots END)
        ) AS side (account_idx, lots)
        WHERE seq > $1 AND kind <> 1
        UNION ALL
        -- What was closed without a trade: the last that ever happens to a position.
        SELECT e.account_idx, e.contract_idx, e.qty_lots
        FROM position AS p JOIN position_event AS e
            ON e.account_idx = p.account_idx AND e.seq = p.updated_seq
            AND e.contract_idx = p.contract_idx
        WHERE e.order_id = -1 AND p.updated_seq > $1
    ) AS moved GROUP BY account_idx, contract_idx
) AS since USING (account_idx, contract_idx)
WHERE qty_lots - coalesce(since.lots, 0) <> 0
ORDER BY account_idx, contract_idx;

-- name: violations_now
SELECT rule, place, expected::text, found::text FROM (
    SELECT *, row_number() OVER (PARTITION BY rule ORDER BY place) AS number FROM (
        SELECT rule, place, expected, found FROM violation_now
        UNION ALL SELECT rule, place, expected, found FROM violation_asset
    ) AS now
) AS v WHERE number <= 10 ORDER BY rule, number;

-- name: violations
SELECT rule, place, expected::text, found::text FROM (
    SELECT *, row_number() OVER (PARTITION BY rule ORDER BY place) AS number FROM (
        SELECT rule, place, expected, found FROM violation
        UNION ALL SELECT rule, place, expected, found FROM violation_fee
        UNION ALL SELECT rule, place, expected, found FROM violation_delivery_fee
        UNION ALL SELECT rule, place, expected, found FROM violation_efd_fee
        UNION ALL SELECT rule, place, expected, found FROM violation_auction
    ) AS every
) AS v WHERE number <= 10 ORDER BY rule, number;
