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

-- name: closed
-- Holders of pledges of whom liquidations have ended since, and what others paid in those: every
-- layer but the holder's own (1 and 2).
SELECT r.holder_idx, max(e.liquidation_id) AS liquidation_id,
    coalesce(sum(u.paid), 0)::bigint AS paid,
    (SELECT account_idx FROM account WHERE account_id = 'insurance') AS house_idx
FROM (
    SELECT h.holder_idx, min(v.ts_ns) AS since_ns
    FROM cdr_receipt AS h JOIN cdr_event AS e USING (number)
    CROSS JOIN LATERAL (
        SELECT p.ts_ns FROM cdr_event AS p
        WHERE p.receipt_id = h.receipt_id AND p.kind = 'covering' ORDER BY p.number DESC LIMIT 1
    ) AS v
    WHERE h.status IN ('pledged', 'releasing') AND e.body::jsonb ->> 'covers' <> ''
    GROUP BY h.holder_idx
) AS r
JOIN liquidation_event AS e ON e.account_idx = r.holder_idx AND e.step = 2 AND e.ts_ns > r.since_ns
LEFT JOIN LATERAL (
    SELECT sum(w.amount_usd_micros) AS paid FROM waterfall_use AS w
    WHERE w.liquidation_id = e.liquidation_id AND w.receiver_idx = r.holder_idx AND w.layer > 2
) AS u ON true
GROUP BY r.holder_idx
ORDER BY r.holder_idx
