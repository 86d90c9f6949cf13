-- Alerts of surveillance, and notes on them.

-- name: places
SELECT name, last_seq FROM follower WHERE name IN ('surveillance', 'submissions');

-- name: move
-- No row comes back when another one has moved it: then nothing of this one may be written.
UPDATE follower SET last_seq = $3, updated_at = now()
WHERE name = $1 AND last_seq = $2
RETURNING last_seq;

-- name: seq_before
-- The last command that is surely older than a span before the batch of a command.
SELECT coalesce((
    SELECT first_seq - 1 FROM journal_minute WHERE minute_ns <= (
        SELECT ts_ns FROM journal_batch WHERE first_seq <= $1 ORDER BY first_seq DESC LIMIT 1
    ) - $2::bigint
    ORDER BY minute_ns DESC LIMIT 1
), 0);

-- name: owners
SELECT account_idx, name FROM account WHERE account_idx >= $1;

-- name: insert
INSERT INTO alert (pattern, subject, contract_idx, seqs, last_seq, first_ns, last_ns, figures)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)
ON CONFLICT (pattern, subject, contract_idx, last_seq) DO NOTHING;

-- name: alerts
SELECT a.alert_id, a.pattern, a.subject, c.symbol, a.seqs, a.first_ns, a.last_ns, a.figures,
    a.raised_at, coalesce(n.status, 'open') AS status, n.note, n.noted_by
FROM alert AS a
LEFT JOIN contract AS c USING (contract_idx)
LEFT JOIN LATERAL (
    SELECT status, note, noted_by FROM alert_note
    WHERE alert_id = a.alert_id ORDER BY note_id DESC LIMIT 1
) AS n ON true
WHERE a.alert_id < $1 AND ($2::text IS NULL OR a.pattern = $2)
    AND ($3::text IS NULL OR coalesce(n.status, 'open') = $3)
    AND ($5::bigint IS NULL OR a.alert_id = $5)
ORDER BY a.alert_id DESC LIMIT $4;

-- name: note
INSERT INTO alert_note (alert_id, status, note, noted_by)
SELECT alert_id, $2, $3, $4 FROM alert WHERE alert_id = $1
RETURNING note_id;
