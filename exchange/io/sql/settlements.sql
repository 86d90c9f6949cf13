-- What settlement prices were reached from.

-- name: keep_run
-- Whoever keeps the same again changes nothing: the name of a run is its hash.
INSERT INTO settlement_input (run, contract_idx, due_ns, body)
SELECT $1, one.contract_idx, $2, one.body::jsonb
FROM unnest($3::bigint[], $4::text[]) AS one (contract_idx, body)
ON CONFLICT DO NOTHING;

-- name: keep_note
INSERT INTO settlement_note (run, revises, reason, said_by, agreed_by) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;

-- name: note
SELECT revises, reason, said_by, agreed_by FROM settlement_note WHERE run = $1;

-- name: run
SELECT due_ns, body FROM settlement_input WHERE run = $1 ORDER BY contract_idx;

-- name: settlements
-- Newest first, with the number of the revision: the first price of a moment is 1. $5: a contract
-- or null; $7: the moment or null.
SELECT follower.last_seq AS at_seq, page.* FROM follower LEFT JOIN LATERAL (
    SELECT s.contract_idx, s.seq, s.settled_ns, s.price_ticks, s.previous_ticks,
        s.last_trade_ticks, s.volume_lots, s.open_interest_lots, s.paid_usd_micros, s.cycle,
        s.due_ns, s.rule, s.source, s.run,
        CASE WHEN s.due_ns = 0 OR s.cycle NOT IN (0, 4) THEN 1 ELSE (
            SELECT count(*) FROM settlement AS earlier
            WHERE earlier.contract_idx = s.contract_idx AND earlier.due_ns = s.due_ns
                AND earlier.cycle IN (0, 4) AND earlier.seq <= s.seq
        ) END AS revision,
        s.due_ns <> 0 AND s.cycle IN (0, 4) AND EXISTS (
            SELECT FROM settlement AS later
            WHERE later.contract_idx = s.contract_idx AND later.due_ns = s.due_ns
                AND later.cycle IN (0, 4) AND later.seq > s.seq
        ) AS superseded,
        i.body
    FROM settlement AS s
    LEFT JOIN settlement_input AS i ON i.run = s.run AND i.contract_idx = s.contract_idx
    WHERE s.seq > $1 AND s.seq <= $2 AND s.settled_ns >= $3 AND s.settled_ns < $4
        AND ($5::bigint IS NULL OR s.contract_idx = $5) AND s.seq < $6
        AND ($7::bigint IS NULL OR s.due_ns = $7)
    ORDER BY s.seq DESC LIMIT $8
) AS page ON true
WHERE follower.name = 'clearing';

-- name: accruals
SELECT contract_idx, seq, ordinal, settled_ns, days_fixed, days, is_final, worth_usd_micros,
    open_interest_lots, paid_usd_micros, digest
FROM accrual WHERE contract_idx = $1 ORDER BY ordinal;

-- name: runs_settled
-- The runs that the journal says prices come from.
SELECT run, min(seq) AS first_seq FROM settlement WHERE run <> '' AND cycle IN (0, 4)
GROUP BY run ORDER BY 2;

-- name: prices_of_run
SELECT contract_idx, price_ticks, rule, source, due_ns
FROM settlement WHERE run = $1 AND cycle IN (0, 4) ORDER BY seq;
