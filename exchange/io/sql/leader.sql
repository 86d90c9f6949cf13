-- name: take
UPDATE leader SET epoch = epoch + 1, holder = $1, taken_at = now() RETURNING epoch

-- name: epoch
SELECT epoch, holder FROM leader

-- name: beat
UPDATE leader_beat SET epoch = $1, seen_at = now() WHERE epoch <= $1 RETURNING epoch

-- name: resign
UPDATE leader_beat SET seen_at = NULL WHERE epoch = $1

-- name: silent_for_s
-- Seconds since the leader was last seen; null when it has resigned or there was none.
SELECT extract(epoch FROM now() - seen_at)::float8 FROM leader_beat
