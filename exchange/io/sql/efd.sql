-- The exchange for delivery: nothing of it is ever changed.

-- name: lock
-- Entries and calls, one at a time.
SELECT pg_advisory_xact_lock(7214502346)

-- name: add_session
INSERT INTO efd_session (session_id, symbol, contract_idx, opens_ns, call_ns, said_by)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (session_id) DO NOTHING

-- name: session
SELECT session_id, symbol, contract_idx, opens_ns, call_ns, said_by FROM efd_session
WHERE session_id = $1

-- name: sessions
SELECT s.session_id, s.symbol, s.contract_idx, s.opens_ns, s.call_ns, s.said_by, r.body
FROM efd_session AS s LEFT JOIN efd_result AS r USING (session_id)
WHERE ($1::text IS NULL OR s.symbol = $1) AND s.call_ns >= $2
ORDER BY s.call_ns, s.session_id OFFSET $3 LIMIT $4

-- name: current
-- Sessions that have opened by $1 and are not called before $2; no results that are known ($3).
SELECT s.session_id, s.symbol, s.contract_idx, s.opens_ns, s.call_ns, s.said_by,
    CASE WHEN s.session_id = ANY ($3::text[]) THEN NULL ELSE r.body END AS body
FROM efd_session AS s LEFT JOIN efd_result AS r USING (session_id)
WHERE s.opens_ns <= $1 AND s.call_ns >= $2
ORDER BY s.call_ns, s.session_id

-- name: due
SELECT session_id, symbol, contract_idx, opens_ns, call_ns, said_by FROM efd_session AS s
WHERE call_ns <= $1 AND NOT EXISTS (SELECT FROM efd_result AS r WHERE r.session_id = s.session_id)
ORDER BY call_ns, session_id LIMIT 100

-- name: entries
SELECT number, account_idx, entry_key, side, qty_lots, limit_ticks, ts_ns FROM efd_entry
WHERE session_id = $1 ORDER BY number

-- name: own
SELECT e.session_id, e.number, e.account_idx, e.entry_key, e.side, e.qty_lots, e.limit_ticks,
    e.ts_ns, e.digest
FROM efd_entry AS e JOIN efd_session AS s USING (session_id)
WHERE e.account_idx = $1 AND s.call_ns >= $2
ORDER BY s.call_ns, e.session_id, e.number LIMIT 4000

-- name: last_entry
SELECT number, digest FROM efd_entry WHERE session_id = $1 ORDER BY number DESC LIMIT 1

-- name: entry_of
SELECT number, account_idx, entry_key, side, qty_lots, limit_ticks, ts_ns FROM efd_entry
WHERE session_id = $1 AND account_idx = $2 AND entry_key = $3 ORDER BY number DESC LIMIT 1

-- name: entry_counts
SELECT count(*), count(DISTINCT entry_key) FROM efd_entry
WHERE session_id = $1 AND account_idx = $2

-- name: entry_digest
SELECT digest FROM efd_entry WHERE session_id = $1 AND number = $2

-- name: add_entry
INSERT INTO efd_entry (session_id, number, account_idx, entry_key, side, qty_lots, limit_ticks,
    ts_ns, digest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: result
SELECT body, digest, ts_ns FROM efd_result WHERE session_id = $1

-- name: add_result
INSERT INTO efd_result (session_id, body, digest, ts_ns) VALUES ($1, $2, $3, $4)

-- name: add_leg
INSERT INTO efd_leg (session_id, place, buyer_idx, seller_idx, receipt_id, contract_idx,
    price_ticks, qty_lots)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: legs
SELECT l.place, l.receipt_id, e.outcome, e.code, e.seq
FROM efd_leg AS l LEFT JOIN efd_leg_end AS e USING (leg_id)
WHERE l.session_id = $1 ORDER BY l.place

-- name: held
-- Receipts that an account could exchange, as they are now.
SELECT e.body FROM cdr_receipt AS r JOIN cdr_event AS e USING (number)
WHERE r.holder_idx = $1 AND r.status = 'active' AND r.sku = $2 AND r.hub = $3
    AND r.start_hour = $4 AND r.end_hour = $5
ORDER BY r.receipt_id

-- name: ready
-- Legs whose price is in escrow and whose position was not heard of.
SELECT l.leg_id, l.buyer_idx, l.seller_idx, l.contract_idx, l.price_ticks, l.qty_lots
FROM efd_leg AS l JOIN cdr_receipt AS r USING (receipt_id)
WHERE r.status = 'exchanging'
    AND NOT EXISTS (SELECT FROM efd_leg_end AS e WHERE e.leg_id = l.leg_id)
ORDER BY l.leg_id LIMIT 500

-- name: settling
-- Is a leg without an end, or money that one of them moves on its way?
SELECT EXISTS (
    SELECT FROM efd_leg AS l
    WHERE NOT EXISTS (SELECT FROM efd_leg_end AS e WHERE e.leg_id = l.leg_id)
) OR EXISTS (
    SELECT FROM efd_leg AS l JOIN cdr_payment AS p USING (receipt_id)
    WHERE p.purpose IN ('price', 'share', 'refund')
        AND NOT EXISTS (SELECT FROM cdr_event AS e WHERE e.payment_id = p.payment_id)
)

-- name: unpaid
INSERT INTO efd_leg_end (leg_id, outcome, ts_ns)
SELECT l.leg_id, 'unpaid', $1 FROM efd_leg AS l JOIN cdr_event AS v USING (receipt_id)
WHERE v.kind = 'exchange_unpaid' AND v.note = l.session_id || '/' || l.place
    AND NOT EXISTS (SELECT FROM efd_leg_end AS e WHERE e.leg_id = l.leg_id)
ON CONFLICT DO NOTHING

-- name: moved
-- Legs without an end whose lots have moved, as clearing wrote them down; $1 is added to a leg.
-- Up to rules of migration 0071 a leg was a give-up (reason 1).
SELECT l.leg_id, m.seq FROM efd_leg AS l
JOIN position_move AS m ON m.liquidation_id = l.leg_id + $1 AND m.reason IN (5, 1)
    AND m.giver_idx = l.buyer_idx AND m.receiver_idx = l.seller_idx
WHERE NOT EXISTS (SELECT FROM efd_leg_end AS e WHERE e.leg_id = l.leg_id)

-- name: leg
SELECT l.receipt_id FROM efd_leg AS l
WHERE l.leg_id = $1 AND NOT EXISTS (SELECT FROM efd_leg_end AS e WHERE e.leg_id = l.leg_id)

-- name: end_leg
INSERT INTO efd_leg_end (leg_id, outcome, code, seq, ts_ns) VALUES ($1, $2, $3, $4, $5)

-- name: cleared_seq
SELECT last_seq FROM follower WHERE name = 'clearing'

-- name: all_results
SELECT session_id, body, digest FROM efd_result WHERE session_id > $1::text
ORDER BY session_id LIMIT $2

-- name: all_legs
SELECT place, buyer_idx, seller_idx, receipt_id, qty_lots, price_ticks FROM efd_leg
WHERE session_id = $1 ORDER BY place

-- name: positions_at
-- What accounts had in a contract after a command.
SELECT account_idx, sum(qty_lots)::bigint FROM position_event
WHERE contract_idx = $1 AND seq <= $2 AND account_idx = ANY ($3::bigint[])
GROUP BY account_idx

-- name: ends_wrong
-- Legs whose end is not what the journal says of their position.
SELECT l.session_id || '/' || l.place AS place, e.outcome AS expected,
    coalesce(m.seq::text, 'no move') AS found
FROM efd_leg_end AS e JOIN efd_leg AS l USING (leg_id)
LEFT JOIN position_move AS m ON m.liquidation_id = l.leg_id + $1 AND m.reason IN (5, 1)
    AND (m.giver_idx, m.receiver_idx, m.contract_idx, m.price_ticks, m.qty_lots)
        = (l.buyer_idx, l.seller_idx, l.contract_idx, l.price_ticks, l.qty_lots)
WHERE e.seq IS DISTINCT FROM m.seq
    AND coalesce(e.seq, 0) <= (SELECT last_seq FROM follower WHERE name = 'clearing')
ORDER BY 1
