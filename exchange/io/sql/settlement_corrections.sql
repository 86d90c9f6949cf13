-- Corrections of settlements: proposed by one operator, approved by another, carried out once.

-- name: base
-- The newest run that a contract's price of a moment comes from, or followed.
SELECT s.run FROM settlement AS s
JOIN settlement_input AS i ON i.run = s.run AND i.contract_idx = $2
    AND NOT (i.body ->> 'settled')::boolean
WHERE s.due_ns = $1 AND s.cycle IN (0, 4)
ORDER BY s.seq DESC LIMIT 1;

-- name: propose
INSERT INTO settlement_correction (client_key, due_ns, revises, changes, reason, proposed_by,
    created_ns, updated_ns)
VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7, $7)
ON CONFLICT (client_key) DO NOTHING RETURNING *;

-- name: by_key
SELECT * FROM settlement_correction WHERE client_key = $1;

-- name: get
SELECT * FROM settlement_correction WHERE correction_id = $1;

-- name: page
SELECT * FROM settlement_correction WHERE correction_id < $1 ORDER BY correction_id DESC LIMIT $2;

-- name: approve
UPDATE settlement_correction SET approved_by = $2, status = 'approved', updated_ns = $3
WHERE correction_id = $1 AND status = 'proposed' AND proposed_by <> $2 RETURNING *;

-- name: withdraw
UPDATE settlement_correction SET status = 'withdrawn', updated_ns = $2
WHERE correction_id = $1 AND status = 'proposed' RETURNING *;

-- name: approved
SELECT * FROM settlement_correction WHERE status = 'approved' ORDER BY correction_id;

-- name: cleared_seq
SELECT last_seq FROM follower WHERE name = 'clearing';

-- name: corrected
-- The contracts that a run has corrected already.
SELECT contract_idx FROM settlement WHERE run = $1 AND cycle = 4;

-- name: ended
UPDATE settlement_correction SET status = $2, run = $3, code = $4, updated_ns = $5
WHERE correction_id = $1 AND status IN ('proposed', 'approved');

-- name: overdue
-- Nobody agreed in time.
UPDATE settlement_correction SET status = 'refused', code = $2, updated_ns = $3
WHERE status = 'proposed' AND due_ns < $1;
