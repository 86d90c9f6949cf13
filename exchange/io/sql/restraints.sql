-- Owners, capacity, credit, and what accounts were told.

-- name: owners
SELECT DISTINCT ON (account_idx) account_idx, owner_idx FROM account_owner
ORDER BY account_idx, owner_id DESC;

-- name: lock_owners
SELECT pg_advisory_xact_lock(7214502351);

-- name: set_owner
INSERT INTO account_owner (account_idx, owner_idx, who, ts_ns) VALUES ($1, $2, $3, $4);

-- name: capacities
SELECT DISTINCT ON (account_idx, sku, hub) account_idx, sku, hub, gpus, source, who, ts_ns
FROM capacity ORDER BY account_idx, sku, hub, capacity_id DESC;

-- name: set_capacity
INSERT INTO capacity (account_idx, sku, hub, gpus, source, who, ts_ns)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: set_credit
INSERT INTO account_credit (account_idx, member_idx, margin_max_usd_micros,
    turnover_max_gpu_hours, clients_margin_max_usd_micros, who, ts_ns)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: credits
-- Of every account the last word of an operator, and that of the member it has now.
SELECT DISTINCT ON (c.account_idx, c.member_idx IS NOT NULL)
    c.account_idx, c.member_idx IS NOT NULL AS by_member, c.margin_max_usd_micros,
    c.turnover_max_gpu_hours, c.clients_margin_max_usd_micros
FROM account_credit AS c
WHERE ($1::bigint IS NULL OR c.account_idx = $1) AND (c.member_idx IS NULL OR c.member_idx = (
    SELECT m.member_idx FROM membership AS m
    WHERE m.account_idx = c.account_idx ORDER BY m.membership_id DESC LIMIT 1))
ORDER BY c.account_idx, c.member_idx IS NOT NULL, c.credit_id DESC;

-- name: clients_of
SELECT c.account_idx, c.member_idx FROM (
    SELECT DISTINCT ON (account_idx) account_idx, member_idx FROM membership
    WHERE account_idx IN (SELECT account_idx FROM membership WHERE member_idx = ANY($1::bigint[]))
    ORDER BY account_idx, membership_id DESC
) AS c
WHERE c.member_idx = ANY($1::bigint[]) ORDER BY c.account_idx;

-- name: turnover
SELECT account_idx, sum(gpu_hours)::bigint FROM trade_volume
WHERE day = $1 AND account_idx = ANY($2::bigint[]) GROUP BY account_idx;

-- name: words
SELECT DISTINCT ON (account_idx) account_idx, kind, body, notice_id FROM notice
WHERE kind IN ('restrained', 'released') ORDER BY account_idx, notice_id DESC;

-- name: tell
INSERT INTO notice (account_idx, kind, once, body, ts_ns) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_idx, kind, once) DO NOTHING RETURNING notice_id;

-- name: notices
SELECT notice_id, account_idx, kind, body, ts_ns FROM notice
WHERE ($1::bigint IS NULL OR account_idx = $1) AND notice_id < $2
ORDER BY notice_id DESC LIMIT $3;

-- name: notices_after
SELECT notice_id, account_idx, kind, body, ts_ns FROM notice
WHERE notice_id > $1 ORDER BY notice_id LIMIT $2;

-- name: last_notice
SELECT coalesce(max(notice_id), 0)::bigint FROM notice;
