-- Receipts: events are only ever added, by one writer at a time.

-- name: lock
SELECT pg_advisory_xact_lock(7214502345)

-- name: head
SELECT number, digest, ts_ns FROM cdr_event ORDER BY number DESC LIMIT 1

-- name: current
SELECT e.body FROM cdr_receipt AS r JOIN cdr_event AS e USING (number) WHERE r.receipt_id = $1

-- name: issued
SELECT e.body FROM cdr_receipt AS r JOIN cdr_event AS e USING (number)
WHERE r.issuer_idx = $1 AND r.end_hour > $2 AND r.status NOT IN ('split', 'closed', 'void')

-- name: add_event
INSERT INTO cdr_event (number, receipt_id, kind, ts_ns, note, body, digest, payment_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: place_receipt
INSERT INTO cdr_receipt (receipt_id, number, status, issuer_idx, holder_idx, pledgee_idx,
    buyer_idx, open_offer, sku, hub, start_hour, end_hour, next_hour)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (receipt_id) DO UPDATE SET number = excluded.number, status = excluded.status,
    holder_idx = excluded.holder_idx, pledgee_idx = excluded.pledgee_idx,
    buyer_idx = excluded.buyer_idx, open_offer = excluded.open_offer,
    next_hour = excluded.next_hour

-- name: add_transfer
INSERT INTO transfer_request (account_idx, amount_usd_micros, client_key, to_account_idx)
VALUES ($1, $2, $3, $4)
RETURNING transfer_id

-- name: add_payment
INSERT INTO cdr_payment (receipt_id, purpose, place, from_idx, to_idx, amount_usd_micros,
    transfer_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: answered
-- Payments that the core has decided, and that no event has answered yet.
SELECT p.payment_id, p.receipt_id, p.purpose, p.place, p.from_idx, p.to_idx, p.amount_usd_micros,
    t.status = 'done' AS done
FROM cdr_payment AS p JOIN transfer_request AS t USING (transfer_id)
WHERE t.status IN ('done', 'refused')
    AND NOT EXISTS (SELECT FROM cdr_event AS e WHERE e.payment_id = p.payment_id)
ORDER BY p.payment_id LIMIT $1

-- name: is_answered
SELECT EXISTS (SELECT FROM cdr_event WHERE payment_id = $1)

-- name: due
SELECT receipt_id FROM cdr_receipt
WHERE next_hour <= $1 AND status IN ('active', 'pledged', 'offered', 'redeemed')
ORDER BY next_hour, receipt_id LIMIT $2

-- name: unpaid
-- Payments of a receipt that nothing has answered yet.
SELECT count(*) FROM cdr_payment AS p
WHERE p.receipt_id = $1
    AND NOT EXISTS (SELECT FROM cdr_event AS e WHERE e.payment_id = p.payment_id)

-- name: own
SELECT e.body, e.number FROM cdr_receipt AS r JOIN cdr_event AS e USING (number)
WHERE (r.holder_idx = $1 OR r.issuer_idx = $1 OR r.pledgee_idx = $1 OR r.buyer_idx = $1)
    AND r.number < $2 AND ($3::text IS NULL OR r.status = $3)
ORDER BY r.number DESC LIMIT $4

-- name: offers
SELECT e.body, e.number FROM cdr_receipt AS r JOIN cdr_event AS e USING (number)
WHERE r.status = 'offered' AND r.open_offer AND r.number < $1
    AND ($2::text IS NULL OR r.sku = $2) AND ($3::text IS NULL OR r.hub = $3)
ORDER BY r.number DESC LIMIT $4

-- name: history
SELECT number, receipt_id, kind, ts_ns, note, body, digest FROM cdr_event
WHERE receipt_id = $1 ORDER BY number LIMIT $2

-- name: events
SELECT number, receipt_id, kind, ts_ns, note, body, digest FROM cdr_event
WHERE number > $1 AND number <= $2 ORDER BY number LIMIT $3

-- name: claims
SELECT number, receipt_id, kind, ts_ns, note, body, digest FROM cdr_event
WHERE number < $1 AND (kind = 'claimed' OR (kind IN ('missed', 'curtailed') AND note !~ ' 0$'))
ORDER BY number DESC LIMIT $2

-- name: admit
INSERT INTO cdr_issuer (issuer_idx, public_key, audit, acceptance, acceptance_hours, admitted_by)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING

-- name: end_issuer
INSERT INTO cdr_issuer_end (issuer_idx, reason, ended_by) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING

-- name: issuer
SELECT i.issuer_idx, a.account_id, i.public_key, i.audit, i.acceptance, i.acceptance_hours,
    i.admitted_by, i.admitted_at, e.reason, e.ended_at
FROM cdr_issuer AS i JOIN account AS a ON a.account_idx = i.issuer_idx
LEFT JOIN cdr_issuer_end AS e USING (issuer_idx)
WHERE i.issuer_idx = $1

-- name: issuers
SELECT i.issuer_idx, a.account_id, i.public_key, i.audit, i.acceptance, i.acceptance_hours,
    i.admitted_by, i.admitted_at, e.reason, e.ended_at
FROM cdr_issuer AS i JOIN account AS a ON a.account_idx = i.issuer_idx
LEFT JOIN cdr_issuer_end AS e USING (issuer_idx)
ORDER BY i.admitted_at DESC, i.issuer_idx LIMIT $1

-- name: curtail
INSERT INTO cdr_curtailment (hub, start_hour, end_hour, reference, said_by)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (reference) DO NOTHING

-- name: curtailment
SELECT hub, start_hour, end_hour, reference, said_by FROM cdr_curtailment WHERE reference = $1

-- name: curtailments
SELECT hub, start_hour, end_hour, reference, said_by FROM cdr_curtailment
ORDER BY curtailment_id DESC LIMIT $1

-- name: is_curtailed
SELECT EXISTS (SELECT FROM cdr_curtailment WHERE hub = $1 AND start_hour <= $2 AND end_hour > $2)

-- name: reading
SELECT node, hour, counter, uptime_s, load_factor_bps, gpu_hours_milli, kwh_milli
FROM cdr_telemetry WHERE issuer_idx = $1 AND node = $2 AND hour = $3

-- name: readings
SELECT node, hour, counter, uptime_s, load_factor_bps, gpu_hours_milli, kwh_milli
FROM cdr_telemetry
WHERE issuer_idx = $1 AND node = ANY ($2::text[]) AND hour >= $3 AND hour < $4
ORDER BY hour, node LIMIT $5

-- name: counter
SELECT max(counter) FROM cdr_telemetry WHERE issuer_idx = $1 AND node = $2

-- name: add_reading
INSERT INTO cdr_telemetry (issuer_idx, node, hour, counter, uptime_s, load_factor_bps,
    gpu_hours_milli, kwh_milli, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: quarantine
INSERT INTO cdr_quarantine (issuer_idx, reason, raw, digest) VALUES ($1, $2, $3, $4)
ON CONFLICT (digest) DO NOTHING

-- name: quarantined
SELECT q.quarantine_id, a.account_id, q.reason, q.raw, q.recorded_at
FROM cdr_quarantine AS q JOIN account AS a ON a.account_idx = q.issuer_idx
WHERE q.quarantine_id < $1 AND ($2::text IS NULL OR q.reason = $2)
ORDER BY q.quarantine_id DESC LIMIT $3

-- name: last_root
SELECT day, first_number, last_number, root, before FROM cdr_root ORDER BY day DESC LIMIT 1

-- name: root_of
SELECT day, first_number, last_number, root, before, public_key, signature FROM cdr_root
WHERE first_number <= $1 AND last_number >= $1

-- name: roots
SELECT day, first_number, last_number, root, before, public_key, signature FROM cdr_root
WHERE day < $1 ORDER BY day DESC LIMIT $2

-- name: all_roots
SELECT day, first_number, last_number, root, before, public_key, signature FROM cdr_root
ORDER BY day

-- name: add_root
INSERT INTO cdr_root (day, first_number, last_number, root, before, public_key, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING

-- name: unsealed
SELECT number, receipt_id, kind, ts_ns, note, body, digest FROM cdr_event
WHERE number > $1 AND ts_ns < $2 ORDER BY number

-- name: receipts_wrong
-- Receipts that are not what their newest event says, and events of receipts that are not there.
SELECT coalesce(r.receipt_id, l.receipt_id) AS place, l.number::text AS expected,
    r.number::text AS found
FROM cdr_receipt AS r FULL JOIN (
    SELECT receipt_id, max(number) AS number FROM cdr_event GROUP BY receipt_id
) AS l USING (receipt_id)
WHERE r.number IS DISTINCT FROM l.number
ORDER BY 1

-- name: payments_wrong
-- Payments whose transfer moves something else.
SELECT p.payment_id::text AS place, p.from_idx || ' ' || p.to_idx || ' ' || p.amount_usd_micros
    AS expected, t.account_idx || ' ' || t.to_account_idx || ' ' || -t.amount_usd_micros AS found
FROM cdr_payment AS p JOIN transfer_request AS t USING (transfer_id)
WHERE (p.from_idx, p.to_idx, p.amount_usd_micros)
    IS DISTINCT FROM (t.account_idx, t.to_account_idx, -t.amount_usd_micros)
ORDER BY p.payment_id

-- name: signed_readings
SELECT t.node, t.hour, t.counter, t.uptime_s, t.load_factor_bps, t.gpu_hours_milli, t.kwh_milli,
    t.signature, i.public_key, a.account_id, t.issuer_idx
FROM cdr_telemetry AS t JOIN cdr_issuer AS i USING (issuer_idx)
JOIN account AS a ON a.account_idx = t.issuer_idx
WHERE (t.issuer_idx, t.node, t.hour) > ($1, $2::text, $3)
ORDER BY t.issuer_idx, t.node, t.hour LIMIT $4
