-- name: insert
INSERT INTO snapshot (seq, state_hash, journal_checksum, parts, blob_checksum, engine_version)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (seq) DO NOTHING
RETURNING seq

-- name: insert_part
INSERT INTO snapshot_part (seq, part_no, bytes) VALUES ($1, $2, $3)

-- name: newest
SELECT seq, state_hash, journal_checksum, parts, blob_checksum
FROM snapshot
WHERE engine_version = $1 AND seq <= $2
ORDER BY seq DESC

-- name: part
SELECT bytes FROM snapshot_part WHERE seq = $1 AND part_no = $2

-- name: forget_old
DELETE FROM snapshot WHERE seq NOT IN (SELECT seq FROM snapshot ORDER BY seq DESC LIMIT $1)
