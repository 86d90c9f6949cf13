-- Accounts

-- name: lock_accounts
SELECT pg_advisory_xact_lock(7214502332)

-- name: account_by_id
SELECT * FROM account WHERE account_id = $1

-- name: account_by_idx
SELECT * FROM account WHERE account_idx = $1

-- name: accounts
SELECT * FROM account WHERE account_idx > $1 ORDER BY account_idx LIMIT $2

-- name: accounts_count
SELECT coalesce(max(account_idx) + 1, 0) FROM account

-- name: insert_account
INSERT INTO account (account_idx, account_id, name, kind) VALUES ($1, $2, $3, $4) RETURNING *

-- name: accounts_unopened
SELECT account_idx, kind FROM account WHERE opened_seq IS NULL ORDER BY account_idx LIMIT $1

-- name: account_opened
UPDATE account SET opened_seq = $2 WHERE account_idx = $1 AND opened_seq IS NULL

-- Keys

-- name: insert_key
INSERT INTO api_key
    (key_id, account_idx, label, scopes, ip_allow, secret_encrypted, public_key, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: key
SELECT k.*, a.account_id FROM api_key k JOIN account a USING (account_idx) WHERE k.key_id = $1

-- name: keys
SELECT k.*, a.account_id
FROM api_key k
JOIN account a USING (account_idx)
WHERE k.account_idx = $1
ORDER BY k.created_at, k.key_id

-- name: revoke_key
UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = $1

-- Transfers

-- name: insert_transfer
INSERT INTO transfer_request (account_idx, amount_usd_micros, client_key, to_account_idx)
VALUES ($1, $2, $3, $4)
ON CONFLICT (account_idx, client_key) DO NOTHING
RETURNING *

-- name: transfer_by_key
SELECT * FROM transfer_request WHERE account_idx = $1 AND client_key = $2

-- name: transfer
SELECT * FROM transfer_request WHERE transfer_id = $1

-- name: transfers
SELECT *
FROM transfer_request
WHERE account_idx = $1 AND ($2::bigint IS NULL OR transfer_id < $2)
ORDER BY transfer_id DESC
LIMIT $3

-- name: number_transfers
-- The oldest waiting one of each open account that has none under way.
WITH due AS (
    SELECT DISTINCT ON (t.account_idx) t.transfer_id
    FROM transfer_request t
    JOIN account a USING (account_idx)
    WHERE t.status = 'pending'
        AND a.opened_seq IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM transfer_request s
            WHERE s.account_idx = t.account_idx AND s.status = 'sent'
        )
    ORDER BY t.account_idx, t.transfer_id
    LIMIT $1
)
UPDATE transfer_request
SET status = 'sent', ref_id = nextval('transfer_ref')
FROM due
WHERE transfer_request.transfer_id = due.transfer_id AND transfer_request.status = 'pending'

-- name: transfers_sent
SELECT account_idx, amount_usd_micros, ref_id, to_account_idx
FROM transfer_request
WHERE status = 'sent'
ORDER BY ref_id
LIMIT $1

-- name: transfer_decided
UPDATE transfer_request
SET status = $2, code = $3, seq = $4, decided_at = now()
WHERE ref_id = $1 AND status = 'sent'

-- Origins and signatures

-- name: next_origin_id
SELECT nextval('origin_id')

-- name: claim_signatures
INSERT INTO request_signature (digest, expires_at)
SELECT * FROM unnest($1::bytea[], $2::timestamptz[])
ON CONFLICT (digest) DO NOTHING
RETURNING digest

-- name: purge_signatures
DELETE FROM request_signature WHERE expires_at < now() - interval '1 minute'

-- name: notify
SELECT pg_notify($1, $2)

-- name: ping
SELECT 1
