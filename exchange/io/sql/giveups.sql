-- Fills given up to another account.

-- name: lock
-- One offer of an account at a time: what is left of a fill is counted under it.
SELECT pg_advisory_xact_lock(4711, ($1::bigint % 2147483647)::integer);

-- name: by_key
SELECT * FROM giveup WHERE giver_idx = $1 AND client_key = $2;

-- name: fill
SELECT e.side, e.contract_idx, e.price_ticks, abs(e.qty_lots) AS qty_lots, t.kind, t.block, t.ts_ns,
    abs(e.qty_lots) - coalesce((
        SELECT sum(g.qty_lots) FROM giveup AS g
        WHERE g.giver_idx = e.account_idx AND g.seq = e.seq AND g.leg = e.leg AND g.side = e.side
            AND g.status IN ('offered', 'accepted', 'done')
    ), 0)::bigint AS left_lots
FROM position_event AS e JOIN trade AS t USING (seq, leg)
WHERE e.account_idx = $1 AND e.seq = $2 AND e.leg = $3
    AND ($4::bigint IS NULL OR e.side = $4)
ORDER BY e.side;

-- name: offer
INSERT INTO giveup (giver_idx, taker_idx, client_key, seq, leg, side, contract_idx, price_ticks,
    qty_lots, expires_ns, created_ns, updated_ns)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) RETURNING *;

-- name: note
INSERT INTO giveup_event (giveup_id, status, who, ts_ns) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING;

-- name: get
SELECT * FROM giveup WHERE giveup_id = $1 AND (giver_idx = $2 OR taker_idx = $2);

-- name: list
SELECT * FROM giveup
WHERE ($1::bigint IS NULL OR giver_idx = $1 OR taker_idx = $1) AND giveup_id < $2
ORDER BY giveup_id DESC LIMIT $3;

-- name: answer
-- Only while it is offered, only by who may, only in time: $4 is who, $5 now.
UPDATE giveup SET status = $2, updated_ns = $5
WHERE giveup_id = $1 AND status = 'offered' AND expires_ns > $5
    AND CASE WHEN $3::boolean THEN taker_idx = $4 ELSE giver_idx = $4 END
RETURNING *;

-- name: expire
WITH gone AS (
    UPDATE giveup SET status = 'expired', updated_ns = $1
    WHERE status = 'offered' AND expires_ns <= $1 RETURNING giveup_id
)
INSERT INTO giveup_event (giveup_id, status, who, ts_ns)
SELECT giveup_id, 'expired', 'exchange', $1 FROM gone;

-- name: accepted
SELECT * FROM giveup WHERE status = 'accepted' ORDER BY giveup_id LIMIT $1;

-- name: moved
-- Accepted ones whose lots have moved, as clearing wrote them down.
SELECT g.giveup_id, m.seq FROM giveup AS g
JOIN position_move AS m ON m.liquidation_id = g.giveup_id AND m.reason = 1
    AND m.giver_idx = g.giver_idx AND m.receiver_idx = g.taker_idx
WHERE g.status = 'accepted';

-- name: decided
WITH one AS (
    UPDATE giveup SET status = $2, code = $3, move_seq = $4, updated_ns = $5
    WHERE giveup_id = $1 AND status = 'accepted' RETURNING giveup_id
)
INSERT INTO giveup_event (giveup_id, status, who, ts_ns) SELECT giveup_id, $2, 'exchange', $5 FROM one;

-- name: cleared_seq
SELECT last_seq FROM follower WHERE name = 'clearing';

-- name: events
-- An offer and its answer may have one time: the clock of the core moves with its commands.
SELECT status, who, ts_ns FROM giveup_event WHERE giveup_id = $1
ORDER BY ts_ns, status <> 'offered', status;
