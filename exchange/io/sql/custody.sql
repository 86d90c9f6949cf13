-- Assets in and out, on their way to the core.

-- name: insert_move
INSERT INTO asset_request (account_idx, asset, move, units, client_key, address, parent_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING
RETURNING *;

-- name: move_by_key
SELECT * FROM asset_request WHERE account_idx = $1 AND client_key = $2;

-- name: move
SELECT * FROM asset_request WHERE request_id = $1;

-- name: decision_of
SELECT * FROM asset_request WHERE parent_id = $1;

-- name: withdrawals
-- Withdrawals of one account, or of all, newest first; with `open_only` those nobody decided.
SELECT r.* FROM asset_request AS r
WHERE r.move = 2 AND ($1::bigint IS NULL OR r.account_idx = $1)
    AND ($2::bigint IS NULL OR r.request_id < $2)
    AND (NOT $3::boolean OR (r.status <> 'refused' AND NOT EXISTS (
        SELECT FROM asset_request AS d WHERE d.parent_id = r.request_id AND d.status <> 'refused'
    )))
ORDER BY r.request_id DESC LIMIT $4;

-- name: number_moves
-- The oldest waiting one of each open account that has none under way.
WITH due AS (
    SELECT DISTINCT ON (r.account_idx) r.request_id,
        (SELECT count(*) FROM asset_request AS d
        WHERE d.account_idx = r.account_idx AND d.status = 'done') AS done
    FROM asset_request AS r JOIN account AS a USING (account_idx)
    WHERE r.status = 'pending' AND a.opened_seq IS NOT NULL AND NOT EXISTS (
        SELECT FROM asset_request AS s WHERE s.account_idx = r.account_idx AND s.status = 'sent'
    )
    ORDER BY r.account_idx, r.request_id
    LIMIT $1
)
UPDATE asset_request SET status = 'sent', ref_id = due.done + 1
FROM due WHERE asset_request.request_id = due.request_id AND asset_request.status = 'pending';

-- name: moves_sent
SELECT * FROM asset_request WHERE status = 'sent' ORDER BY request_id LIMIT $1;

-- name: move_decided
UPDATE asset_request SET status = $3, code = $4, seq = $5, decided_at = now()
WHERE account_idx = $1 AND ref_id = $2 AND status = 'sent';

-- name: approve
INSERT INTO asset_approval (request_id, approver) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: approvers
SELECT approver FROM asset_approval WHERE request_id = $1 ORDER BY created_at, approver;

-- name: add_address
INSERT INTO withdrawal_address (account_idx, asset, address, label) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_idx, asset, address) WHERE removed_at IS NULL DO NOTHING;

-- name: addresses
SELECT asset, address, label, created_at FROM withdrawal_address
WHERE account_idx = $1 AND removed_at IS NULL ORDER BY created_at, asset, address LIMIT $2;

-- name: remove_address
UPDATE withdrawal_address SET removed_at = now()
WHERE account_idx = $1 AND asset = $2 AND address = $3 AND removed_at IS NULL
RETURNING address;

-- name: owners
SELECT account_idx, name, kind FROM account WHERE account_idx = ANY($1::bigint[]);
