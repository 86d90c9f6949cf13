-- Webhooks: kept for their owners, filled and emptied by who delivers.

-- name: lock_account
SELECT pg_advisory_xact_lock(4712, ($1::bigint % 2147483647)::integer);

-- name: lock_place
-- While a hook is made, nothing is read that it should have heard.
SELECT last_seq FROM follower WHERE name = 'webhooks' FOR SHARE;

-- name: count
SELECT count(*) FROM webhook WHERE account_idx = $1 AND status <> 'removed';

-- name: create
INSERT INTO webhook (webhook_id, account_idx, url, events, label, secret, from_seq, created_by,
    created_ns)
SELECT $1, $2, $3, $4::text[], $5, $6, last_seq, $7, $8 FROM follower WHERE name = 'clearing';

-- name: list
-- $2: one hook, or all of the account.
SELECT webhook_id, url, events, label, w.status, why, failures, retry_ns, dropped, created_by,
    created_ns, rotated_ns, (
        SELECT count(*) FROM webhook_delivery AS d
        WHERE d.webhook_id = w.webhook_id AND d.status = 'waiting'
    ) AS waiting_count
FROM webhook AS w
WHERE account_idx = $1 AND w.status <> 'removed' AND ($2::text IS NULL OR webhook_id = $2)
ORDER BY created_ns, webhook_id;

-- name: rotate
UPDATE webhook SET old_secret = secret, secret = $3, rotated_ns = $4
WHERE webhook_id = $1 AND account_idx = $2 AND status <> 'removed' RETURNING webhook_id;

-- name: resume
UPDATE webhook SET status = 'active', why = '', failures = 0, retry_ns = 0
WHERE webhook_id = $1 AND account_idx = $2 AND status <> 'removed' RETURNING webhook_id;

-- name: remove
UPDATE webhook SET status = 'removed', secret = '', old_secret = NULL
WHERE webhook_id = $1 AND account_idx = $2 AND status <> 'removed' RETURNING webhook_id;

-- name: remove_waiting
DELETE FROM webhook_delivery WHERE webhook_id = $1 AND status = 'waiting';

-- name: enqueue
INSERT INTO webhook_delivery (webhook_id, event, data, created_ns) VALUES ($1, $2, $3, $4)
RETURNING delivery_id;

-- name: deliveries
SELECT delivery_id, event, status, attempts, http_status, latency_ms, error, created_ns, tried_ns
FROM webhook_delivery WHERE webhook_id = $1 AND delivery_id < $2
ORDER BY delivery_id DESC LIMIT $3;

-- name: any
SELECT EXISTS (SELECT FROM webhook WHERE status <> 'removed');

-- name: kept
-- Hooks, how far they were told, and whether all that they were told is there: none was left out,
-- and the hook is not older than what is forgotten.
SELECT w.webhook_id, w.account_idx, w.events, w.from_seq, greatest(w.from_seq, own.last_seq),
    w.dropped = 0 AND w.created_ns
        > extract(epoch FROM now() - interval '6 days')::bigint * 1000000000 AS is_whole
FROM webhook AS w, follower AS own
WHERE own.name = 'webhooks' AND w.status <> 'removed' ORDER BY w.webhook_id;

-- name: told
SELECT event, data FROM webhook_delivery
WHERE webhook_id = $1 AND event = ANY ($2::text[]) ORDER BY delivery_id;

-- name: figures
SELECT
    (SELECT count(*) FROM webhook WHERE status = 'active') AS active,
    (SELECT count(*) FROM webhook WHERE status = 'parked') AS parked,
    (SELECT count(*) FROM webhook_delivery WHERE status = 'waiting') AS waiting,
    (SELECT coalesce(min(d.created_ns), 0) FROM webhook AS w CROSS JOIN LATERAL (
        SELECT created_ns FROM webhook_delivery AS d
        WHERE d.webhook_id = w.webhook_id AND d.status = 'waiting' ORDER BY delivery_id LIMIT 1
    ) AS d WHERE w.status = 'active') AS oldest_ns,
    (SELECT coalesce(sum(dropped), 0)::bigint FROM webhook) AS dropped,
    (SELECT count(*) FROM webhook_note) AS notes,
    (SELECT greatest(0, clearing.last_seq - own.last_seq) FROM follower AS own, follower AS clearing
        WHERE own.name = 'webhooks' AND clearing.name = 'clearing') AS behind;

-- name: lock
SELECT pg_try_advisory_lock(hashtextextended('wellhead webhooks', 0));

-- name: listening
SELECT webhook_id, account_idx, events, from_seq, (
        SELECT count(*) FROM webhook_delivery AS d
        WHERE d.webhook_id = w.webhook_id AND d.status = 'waiting'
    ) AS waiting_count
FROM webhook AS w WHERE status <> 'removed' ORDER BY webhook_id;

-- name: take_notes
-- A note of a transaction that is not committed yet is taken another time. What follows another
-- change of the same row was committed after it, so the two are in order.
WITH taken AS (
    DELETE FROM webhook_note WHERE note_id IN (
        SELECT note_id FROM webhook_note ORDER BY note_id LIMIT $1
    ) RETURNING note_id, event, account_idx, body
)
SELECT event, account_idx, body FROM taken ORDER BY note_id;

-- name: places
SELECT own.last_seq AS own_seq, clearing.last_seq AS cleared_seq
FROM follower AS own, follower AS clearing
WHERE own.name = 'webhooks' AND clearing.name = 'clearing' FOR UPDATE OF own;

-- name: move
UPDATE follower SET last_seq = $2, updated_at = now()
WHERE name = 'webhooks' AND last_seq = $1 RETURNING last_seq;

-- name: drop
UPDATE webhook SET dropped = dropped + $2, status = 'parked', why = $3
WHERE webhook_id = $1 AND status <> 'removed';

-- name: fills
-- A combination is told by its legs: they are what moves positions.
SELECT e.account_idx, e.seq, e.leg, e.side, e.is_maker, c.symbol, e.order_id, e.price_ticks,
    e.qty_lots, e.trading_fee_usd_micros + e.clearing_fee_usd_micros AS fee_usd_micros, e.ts_ns
FROM position_event AS e JOIN contract AS c USING (contract_idx)
WHERE e.account_idx = ANY ($1::bigint[]) AND e.seq > $2 AND e.seq <= $3 AND c.legs = ''
ORDER BY e.account_idx, e.seq, e.leg, e.side;

-- name: variations
SELECT v.account_idx, v.seq, c.symbol, v.qty_lots, v.price_ticks, v.amount_usd_micros, v.ts_ns
FROM variation AS v JOIN contract AS c USING (contract_idx)
WHERE v.account_idx = ANY ($1::bigint[]) AND v.seq > $2 AND v.seq <= $3
ORDER BY v.account_idx, v.seq;

-- name: liquidations
SELECT account_idx, seq, liquidation_id, step, equity_usd_micros, initial_usd_micros,
    maintenance_usd_micros, ts_ns
FROM liquidation_event
WHERE account_idx = ANY ($1::bigint[]) AND seq > $2 AND seq <= $3 ORDER BY seq;

-- name: layer_uses
-- Told to who defaulted, and to who paid: itself, or by its share of the default fund.
SELECT party.account_idx, party.role, u.seq, u.liquidation_id, u.layer, u.amount_usd_micros, u.ts_ns
FROM waterfall_use AS u
JOIN account AS giver ON giver.account_idx = u.giver_idx
JOIN liquidation_event AS l ON l.seq = u.liquidation_id
CROSS JOIN LATERAL (
    SELECT l.account_idx, 'defaulter' AS role
    UNION ALL
    SELECT CASE WHEN giver.kind = 'fund' THEN split_part(giver.account_id, '.', 2)::bigint
        ELSE u.giver_idx END, 'payer' WHERE u.layer > 2
) AS party
WHERE u.layer > 0 AND party.account_idx = ANY ($1::bigint[]) AND u.seq > $2 AND u.seq <= $3
ORDER BY u.seq, party.role;

-- name: due
-- Hooks whose next delivery may go now; who waits longest comes first.
SELECT webhook_id, account_id, url, secret,
    CASE WHEN rotated_ns > $1 - $2::bigint THEN old_secret END AS old_secret, failures
FROM webhook AS w JOIN account USING (account_idx)
WHERE w.status = 'active' AND retry_ns <= $1 AND NOT webhook_id = ANY ($3::text[]) AND EXISTS (
    SELECT FROM webhook_delivery AS d WHERE d.webhook_id = w.webhook_id AND d.status = 'waiting'
)
ORDER BY tried_ns, webhook_id LIMIT $4;

-- name: next
SELECT delivery_id, event, data, created_ns FROM webhook_delivery
WHERE webhook_id = $1 AND status = 'waiting' ORDER BY delivery_id LIMIT 1;

-- name: tried
UPDATE webhook_delivery SET status = $2, attempts = attempts + 1, http_status = $3,
    latency_ms = $4, error = $5, tried_ns = $6
WHERE delivery_id = $1 AND status = 'waiting';

-- name: well
UPDATE webhook SET failures = 0, retry_ns = 0, tried_ns = $2 WHERE webhook_id = $1;

-- name: failed
-- One that was resumed or removed meanwhile stays what it is now.
UPDATE webhook SET failures = failures + 1, retry_ns = $3, tried_ns = $2,
    status = CASE WHEN $4::boolean AND status = 'active' THEN 'parked' ELSE status END,
    why = CASE WHEN $4::boolean AND status = 'active' THEN $5 ELSE why END
WHERE webhook_id = $1 AND failures = $6;

-- name: forget_removed
DELETE FROM webhook_delivery WHERE status = 'waiting' AND webhook_id IN (
    SELECT webhook_id FROM webhook WHERE status = 'removed'
);

-- name: forget
DELETE FROM webhook_delivery WHERE delivery_id IN (
    SELECT delivery_id FROM webhook_delivery
    WHERE status = 'delivered' AND tried_ns < $1 ORDER BY tried_ns LIMIT $2
);
