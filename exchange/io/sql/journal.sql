-- name: append
-- The row lock makes a new leader wait for this commit, and us find its epoch if it came first.
INSERT INTO journal_batch
    (first_seq, count, ts_ns, epoch, engine_version, checksum, commands, events)
SELECT $1, $2, $3, leader.epoch, $5, $6, $7, $8
FROM leader
WHERE leader.epoch = $4
FOR SHARE
RETURNING first_seq

-- name: find
SELECT checksum, epoch FROM journal_batch WHERE first_seq = $1

-- name: head
SELECT first_seq + count - 1 AS last_seq, checksum
FROM journal_batch
ORDER BY first_seq DESC
LIMIT 1

-- name: batch_at
-- The batch that holds command $1.
SELECT first_seq, count, checksum
FROM journal_batch
WHERE first_seq <= $1
ORDER BY first_seq DESC
LIMIT 1

-- name: read
SELECT b.first_seq, b.count, b.ts_ns, b.epoch, b.engine_version, b.checksum, b.commands, b.events,
    h.hash AS state_hash
FROM journal_batch b
LEFT JOIN state_hash h ON h.seq = b.first_seq + b.count - 1 AND h.engine_version = $3
WHERE b.first_seq >= $1
ORDER BY b.first_seq
LIMIT $2

-- name: record_hash
INSERT INTO state_hash (seq, hash, engine_version)
SELECT $1, $2, $3
FROM leader
WHERE leader.epoch = $4
FOR SHARE
ON CONFLICT (seq) DO NOTHING

-- name: epoch
SELECT epoch FROM leader

-- name: careless
-- What this session's commits are not protected by; null when nothing is missing.
SELECT string_agg(name || '=' || setting, ', ' ORDER BY name)
FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
