-- The ledger to read: its chain, its trial balance, statements of accounts.

-- name: chain_rows
SELECT t.transfer_id, t.seq, t.leg, t.reason, t.ref_id, ts_ns, p.ledger_account_id, p.version,
    p.amount_usd_micros, p.balance_usd_micros
FROM transfer AS t JOIN posting AS p USING (transfer_id, ts_ns)
WHERE t.transfer_id > $1 AND t.transfer_id <= $2 AND p.transfer_id > $1 AND p.transfer_id <= $2
ORDER BY t.transfer_id, p.ledger_account_id;

-- name: last_transfer_id
SELECT greatest((SELECT max(transfer_id) FROM transfer), last_transfer_id) FROM ledger_archived;

-- name: archived_transfer_id
SELECT last_transfer_id FROM ledger_archived;

-- name: months
-- Size is that of the partitions, also of those that were taken out and are still there.
SELECT name, archived_at, coalesce(m.last_transfer_id, (
        SELECT max(transfer_id) FROM transfer WHERE ts_ns >= m.from_ns AND ts_ns < m.until_ns
    )) AS last_transfer_id,
    coalesce(pg_total_relation_size(to_regclass('transfer_' || name)), 0)
    + coalesce(pg_total_relation_size(to_regclass('posting_' || name)), 0) AS bytes
FROM ledger_month AS m ORDER BY from_ns;

-- name: archive_month
SELECT archive_ledger_month($1);

-- name: heads
SELECT day, last_transfer_id, digest, public_key, signature FROM ledger_head ORDER BY day;

-- name: add_head
INSERT INTO ledger_head (day, last_transfer_id, digest, public_key, signature)
VALUES ($1, $2, $3, $4, $5);

-- name: trial_balance
SELECT a.code, coalesce(b.version, 0) AS version,
    coalesce(b.balance_usd_micros, 0) AS balance_usd_micros, coalesce(b.updated_seq, 0) AS seq
FROM ledger_account AS a LEFT JOIN balance AS b USING (ledger_account_id)
ORDER BY a.ledger_account_id;

-- name: has_account
SELECT EXISTS (SELECT FROM account WHERE account_id = $1);

-- name: statement
SELECT a.code, p.version, t.ts_ns, t.seq, t.leg, t.reason, t.ref_id, p.amount_usd_micros,
    p.balance_usd_micros
FROM account AS who JOIN ledger_account AS a USING (account_idx)
JOIN posting AS p USING (ledger_account_id) JOIN transfer AS t USING (transfer_id, ts_ns)
WHERE who.account_id = $1 AND p.ts_ns >= $2 AND p.ts_ns < $3 AND t.ts_ns >= $2 AND t.ts_ns < $3
ORDER BY a.ledger_account_id, p.version;

-- name: postings
SELECT t.transfer_id, t.ts_ns, t.seq, t.leg, t.reason, t.ref_id, a.code, p.version,
    p.amount_usd_micros, p.balance_usd_micros
FROM transfer AS t JOIN posting AS p USING (transfer_id, ts_ns) JOIN ledger_account AS a
    USING (ledger_account_id)
WHERE t.seq > $1
ORDER BY t.transfer_id, p.ledger_account_id LIMIT $2;

-- name: seal_due
-- A day is closed that no head covers: the first transfer after the last head is of a day before
-- the newest one's.
SELECT coalesce((SELECT ts_ns / 86400000000000 FROM transfer WHERE transfer_id
        = 1 + greatest((SELECT max(last_transfer_id) FROM ledger_head), 0))
    < (SELECT ts_ns / 86400000000000 FROM transfer ORDER BY transfer_id DESC LIMIT 1), false);
