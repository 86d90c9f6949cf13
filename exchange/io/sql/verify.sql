-- Everything as it is stored, for `wellhead verify`. All of it is read in one snapshot.

-- name: journal_seq
SELECT first_seq + count - 1 FROM journal_batch ORDER BY first_seq DESC LIMIT 1;

-- name: cleared_seq
SELECT last_seq FROM follower WHERE name = 'clearing';

-- name: batches
SELECT first_seq, count, ts_ns, epoch, checksum, commands, events
FROM journal_batch WHERE first_seq >= $1 ORDER BY first_seq LIMIT $2;

-- name: state_hashes
SELECT seq, hash FROM state_hash WHERE engine_version = $1;

-- name: snapshots
SELECT seq, state_hash, journal_checksum FROM snapshot WHERE engine_version = $1 ORDER BY seq;

-- name: ledger_account
SELECT ledger_account_id, code, account_idx FROM ledger_account ORDER BY ledger_account_id;

-- name: transfer
SELECT transfer_id, seq, leg, reason, ref_id, ts_ns
FROM transfer WHERE seq > $1 AND seq <= $2;

-- name: posting
SELECT transfer_id, ledger_account_id, version, amount_usd_micros, balance_usd_micros, ts_ns
FROM posting WHERE transfer_id > $1 AND transfer_id <= $2;

-- name: archived
SELECT last_transfer_id, last_seq FROM ledger_archived;

-- name: partitions
-- Partitions of the ledger, and what the application may do to each by itself.
SELECT c.relname AS table_name, array_remove(array_agg(privilege), NULL) AS privileges
FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid
LEFT JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS privilege
    ON has_table_privilege('wellhead_app', c.oid, privilege)
    OR (privilege IN ('INSERT', 'UPDATE')
        AND has_any_column_privilege('wellhead_app', c.oid, privilege))
WHERE inhparent IN ('transfer'::regclass, 'posting'::regclass) AND c.relkind = 'r'
GROUP BY c.relname ORDER BY c.relname;

-- name: ledger_opening
SELECT ledger_account_id, version, balance_usd_micros FROM ledger_opening;

-- name: trade
SELECT seq, leg, contract_idx, price_ticks, qty_lots, taker_side, taker_account_idx,
    maker_account_idx, taker_order_id, maker_order_id, ts_ns, block, kind, implied
FROM trade WHERE seq > $1 AND seq <= $2;

-- name: position_event
SELECT account_idx, seq, leg, side, is_maker, contract_idx, order_id, price_ticks, qty_lots,
    position_lots, realised_usd_micros, ts_ns, fine_usd_micros, trading_fee_usd_micros,
    clearing_fee_usd_micros
FROM position_event JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
    AS key (account_idx, seq, leg, side) USING (account_idx, seq, leg, side);

-- name: variation
SELECT account_idx, seq, contract_idx, qty_lots, price_ticks, amount_usd_micros, ts_ns
FROM variation WHERE seq > $1 AND seq <= $2;

-- name: collateral_count
SELECT account_idx, seq, counted_usd_micros, ts_ns
FROM collateral_count WHERE seq > $1 AND seq <= $2;

-- name: fee_rate
SELECT account_idx, seq, maker, taker, clearing, ts_ns
FROM fee_rate WHERE seq > $1 AND seq <= $2;

-- name: asset_price
SELECT asset, seq, price_usd_micros, source, priced_ns, ts_ns
FROM asset_price WHERE seq > $1 AND seq <= $2;

-- name: settlement
SELECT contract_idx, seq, settled_ns, price_ticks, previous_ticks, last_trade_ticks, volume_lots,
    open_interest_lots, paid_usd_micros, cycle, due_ns, rule, source, run
FROM settlement WHERE seq > $1 AND seq <= $2;

-- name: accrual
SELECT contract_idx, seq, ordinal, settled_ns, days_fixed, days, is_final, worth_usd_micros,
    open_interest_lots, paid_usd_micros, digest
FROM accrual WHERE seq > $1 AND seq <= $2;

-- name: liquidation_event
SELECT seq, liquidation_id, account_idx, step, equity_usd_micros, initial_usd_micros,
    maintenance_usd_micros, state_before, ts_ns
FROM liquidation_event WHERE seq > $1 AND seq <= $2;

-- name: position_move
SELECT seq, liquidation_id, reason, contract_idx, giver_idx, receiver_idx, side, price_ticks,
    qty_lots, ts_ns
FROM position_move WHERE seq > $1 AND seq <= $2;

-- name: waterfall_use
SELECT seq, liquidation_id, layer, giver_idx, receiver_idx, amount_usd_micros, ts_ns
FROM waterfall_use WHERE seq > $1 AND seq <= $2;

-- name: journal_minute
SELECT minute_ns, first_seq FROM journal_minute WHERE first_seq > $1 AND first_seq <= $2;

-- name: order_history
SELECT account_idx, order_id, contract_idx, side, order_type, tif, stp, flags, price_ticks,
    qty_lots, open_lots, filled_lots, filled_tick_lots, cancelled_lots, code, client_order_id,
    expires_ns, placed_ns, updated_ns, updated_seq,
    display_lots, peg, offset_ticks, trigger_ticks, trigger_bits, link_id, parent_id
FROM order_history JOIN unnest($1::bigint[], $2::bigint[]) AS key (account_idx, order_id)
    USING (account_idx, order_id);

-- name: kline
SELECT contract_idx, interval_s, open_ns, open_ticks, high_ticks, low_ticks, close_ticks,
    volume_lots, volume_tick_lots, trade_count
FROM kline JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[])
    AS key (contract_idx, interval_s, open_ns) USING (contract_idx, interval_s, open_ns);

-- name: balance
SELECT ledger_account_id, version, balance_usd_micros, updated_seq FROM balance;

-- name: contract
SELECT contract_idx, symbol, tick_value_usd_micros, listed_seq, listed_ns, ends_ns, state,
    mark_ticks, settle_ticks, last_trade_ticks, volume_lots, open_interest_lots, updated_seq,
    legs, fine_usd_micros
FROM contract;

-- name: position
SELECT account_idx, contract_idx, qty_lots, entry_usd_micros, realised_usd_micros,
    carry_usd_micros, updated_seq
FROM position;

-- name: counts
SELECT
    (SELECT count(*) FROM ledger_account) AS ledger_account,
    (SELECT count(*) FROM transfer) AS transfer,
    (SELECT count(*) FROM posting) AS posting,
    (SELECT count(*) FROM trade) AS trade,
    (SELECT count(*) FROM position_event) AS position_event,
    (SELECT count(*) FROM variation) AS variation,
    (SELECT count(*) FROM settlement) AS settlement,
    (SELECT count(*) FROM accrual) AS accrual,
    (SELECT count(*) FROM liquidation_event) AS liquidation_event,
    (SELECT count(*) FROM position_move) AS position_move,
    (SELECT count(*) FROM waterfall_use) AS waterfall_use,
    (SELECT count(*) FROM collateral_count) AS collateral_count,
    (SELECT count(*) FROM fee_rate) AS fee_rate,
    (SELECT count(*) FROM asset_price) AS asset_price,
    (SELECT count(*) FROM journal_minute) AS journal_minute,
    (SELECT count(*) FROM order_history) AS order_history,
    (SELECT count(*) FROM kline) AS kline;

-- name: triggers
SELECT relname AS table_name, tgname AS name, tgenabled::text AS enabled
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal;

-- name: privileges
-- What the application may do to tables that nothing may be changed in.
SELECT name AS table_name, privilege
FROM unnest($1::text[]) AS name, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS privilege
WHERE has_table_privilege('wellhead_app', name, privilege)
    OR (privilege = 'UPDATE' AND has_any_column_privilege('wellhead_app', name, privilege));

-- name: requests
-- Requests for money that are said to be done, beside what the ledger posted at their command.
SELECT r.transfer_id AS request_id, r.account_idx, r.ref_id, r.amount_usd_micros,
    t.ref_id AS posted_ref_id, p.account_idx AS posted_account_idx,
    p.amount_usd_micros AS posted_usd_micros
FROM transfer_request AS r
LEFT JOIN transfer AS t ON t.seq = r.seq AND t.leg = 0
    AND t.reason IN ('deposit', 'withdrawal', 'transfer')
LEFT JOIN (
    SELECT transfer_id, account_idx, amount_usd_micros
    FROM posting JOIN ledger_account USING (ledger_account_id) WHERE account_idx IS NOT NULL
) AS p ON p.transfer_id = t.transfer_id
    AND (t.reason <> 'transfer' OR p.account_idx IS NOT DISTINCT FROM r.account_idx)
WHERE r.status = 'done'
    AND (r.seq IS NULL OR (r.seq <= $1 AND r.seq > (SELECT last_seq FROM ledger_archived)))
    AND (r.ref_id, r.account_idx, r.amount_usd_micros)
        IS DISTINCT FROM (t.ref_id, p.account_idx, p.amount_usd_micros);

-- name: asset_requests
-- Requests to move assets that are said to be done, beside what was posted at their command.
SELECT r.request_id, r.account_idx, r.ref_id,
    CASE WHEN r.move IN (2, 3) THEN -r.units ELSE r.units END,
    t.ref_id, p.account_idx, p.amount_usd_micros
FROM asset_request AS r
LEFT JOIN transfer AS t ON t.seq = r.seq AND t.leg = 0
    AND t.reason = (ARRAY['asset_deposit', 'asset_reserve', 'asset_paid', 'asset_return'])[r.move]
LEFT JOIN (
    SELECT transfer_id, account_idx, amount_usd_micros, code
    FROM posting JOIN ledger_account USING (ledger_account_id) WHERE account_idx IS NOT NULL
) AS p ON p.transfer_id = t.transfer_id
    AND p.code LIKE CASE WHEN r.move = 3 THEN 'leaving:%' ELSE 'asset:%' END
WHERE r.status = 'done' AND r.seq <= $1 AND r.seq > (SELECT last_seq FROM ledger_archived)
    AND (r.ref_id, r.account_idx, CASE WHEN r.move IN (2, 3) THEN -r.units ELSE r.units END)
        IS DISTINCT FROM (t.ref_id, p.account_idx, p.amount_usd_micros);
