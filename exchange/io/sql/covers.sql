-- Receipts that are pledged as cover, and what takes from them.

-- name: pledges
SELECT e.body, EXISTS (
    SELECT FROM cdr_issuer_end AS i WHERE i.issuer_idx = r.issuer_idx
) AS ended
FROM cdr_receipt AS r JOIN cdr_event AS e USING (number)
WHERE r.status IN ('pledged', 'releasing') AND e.body::jsonb ->> 'covers' <> ''
ORDER BY r.receipt_id

-- name: newest_readings
-- The newest reading of each node that is asked for, none where it never reported.
SELECT n.issuer_idx, n.node, t.hour, t.counter, t.uptime_s, t.load_factor_bps, t.gpu_hours_milli,
    t.kwh_milli
FROM unnest($1::bigint[], $2::text[]) AS n (issuer_idx, node)
CROSS JOIN LATERAL (
    SELECT * FROM cdr_telemetry AS t
    WHERE t.issuer_idx = n.issuer_idx AND t.node = n.node ORDER BY t.hour DESC LIMIT 1
) AS t

-- name: spans
SELECT hub, start_hour, end_hour FROM cdr_curtailment WHERE end_hour > $1

-- name: holders
-- Accounts that ever pledged a receipt as cover: what theirs are is said by nobody else.
SELECT DISTINCT (body::jsonb ->> 'holder_idx')::bigint AS account_idx FROM cdr_event
WHERE kind = 'covering'
