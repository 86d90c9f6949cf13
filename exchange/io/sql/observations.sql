-- Observations: rows are only ever added, by one writer at a time.

-- name: lock
SELECT pg_advisory_xact_lock(7214502341)

-- name: head
SELECT number, digest FROM observation ORDER BY number DESC LIMIT 1

-- name: known
SELECT o.source, o.provider, o.region, o.sku, o.grade, o.size_gpus, o.kind, o.term_months,
    o.instance, o.ts_ns, o.price_usd_micros, o.number
FROM observation AS o
JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[],
    $8::bigint[], $9::text[], $10::bigint[])
    AS k (source, provider, region, sku, grade, size_gpus, kind, term_months, instance, ts_ns)
USING (source, provider, region, sku, grade, size_gpus, kind, term_months, instance, ts_ns)

-- name: add
INSERT INTO observation (number, provider, region, sku, hub, grade, size_gpus, price_usd_micros,
    kind, ts_ns, source, licence, digest, term_months, instance)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::bigint[], $8::bigint[], $9::text[], $10::bigint[], $11::text[], $12::text[], $13::bytea[],
    $14::bigint[], $15::text[])

-- name: add_batch
INSERT INTO observation_batch (via, name, key_id, message, signature, first_number,
    accepted_count, duplicate_count, quarantined_count)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
RETURNING batch_id

-- name: known_bad
SELECT digest FROM observation_quarantine WHERE digest = ANY ($1::bytea[])

-- name: add_bad
INSERT INTO observation_quarantine (batch_id, source, reason, detail, raw, digest)
SELECT $1, t.* FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[]) AS t
ON CONFLICT (digest) DO NOTHING

-- name: rows
SELECT number, provider, region, sku, hub, grade, size_gpus, price_usd_micros, kind, ts_ns,
    source, licence, digest, term_months, instance
FROM observation WHERE number > $1 AND number <= $2 ORDER BY number LIMIT $3

-- name: newest
SELECT number, provider, region, sku, hub, grade, size_gpus, price_usd_micros, kind, ts_ns,
    source, licence, digest, term_months, instance
FROM observation
WHERE number < $1 AND ($2::text IS NULL OR sku = $2) AND ($3::text IS NULL OR hub = $3)
    AND ($4::text IS NULL OR provider = $4) AND ($5::text IS NULL OR source = $5)
ORDER BY number DESC LIMIT $6

-- name: quarantine
SELECT q.quarantine_id, q.source, q.reason, q.detail, q.raw, b.via, b.name, b.recorded_at
FROM observation_quarantine AS q JOIN observation_batch AS b USING (batch_id)
WHERE q.quarantine_id < $1 AND ($2::text IS NULL OR q.reason = $2)
ORDER BY q.quarantine_id DESC LIMIT $3

-- name: reasons
SELECT reason, count(*) AS rows FROM observation_quarantine GROUP BY reason ORDER BY reason

-- name: batches
SELECT batch_id, via, name, key_id, message, signature, first_number, accepted_count,
    duplicate_count, quarantined_count, recorded_at
FROM observation_batch WHERE batch_id > $1 ORDER BY batch_id LIMIT $2

-- name: batches_wrong
-- Batches cover all rows, one after the other.
WITH placed AS (
    SELECT batch_id, first_number, accepted_count, quarantined_count,
        1 + coalesce(sum(accepted_count) OVER (ORDER BY batch_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS due
    FROM observation_batch
)
SELECT batch_id, 'first_number' AS field, due::text AS expected, first_number::text AS found
FROM placed WHERE first_number <> due
UNION ALL
SELECT p.batch_id, 'quarantined_count', p.quarantined_count::text, count(q.quarantine_id)::text
FROM placed AS p LEFT JOIN observation_quarantine AS q USING (batch_id)
GROUP BY p.batch_id, p.quarantined_count HAVING count(q.quarantine_id) <> p.quarantined_count
UNION ALL
SELECT 0, 'accepted_count of all', t.total::text, (SELECT count(*) FROM observation)::text
FROM (SELECT coalesce(sum(accepted_count), 0) AS total FROM placed) AS t
WHERE t.total <> (SELECT count(*) FROM observation)
ORDER BY 1, 2

-- name: submitted_rows
SELECT coalesce(sum(b.accepted_count + b.duplicate_count + b.quarantined_count), 0)::bigint
FROM observation_batch AS b JOIN observation_provider AS p USING (key_id)
WHERE p.provider = $1 AND b.recorded_at > now() - interval '1 day'

-- name: add_key
INSERT INTO observation_provider (key_id, provider, public_key, licence, added_by)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
RETURNING key_id

-- name: end_key
INSERT INTO observation_provider_end (key_id, ended_by) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: key
SELECT p.key_id, p.provider, p.public_key, p.licence, p.added_by, p.added_at, e.ended_at
FROM observation_provider AS p LEFT JOIN observation_provider_end AS e USING (key_id)
WHERE p.key_id = $1

-- name: keys
SELECT p.key_id, p.provider, p.public_key, p.licence, p.added_by, p.added_at, e.ended_at
FROM observation_provider AS p LEFT JOIN observation_provider_end AS e USING (key_id)
ORDER BY p.added_at DESC, p.key_id LIMIT $1

-- name: signed
SELECT b.batch_id, b.message, b.signature, p.public_key
FROM observation_batch AS b JOIN observation_provider AS p USING (key_id)
WHERE b.batch_id > $1 ORDER BY b.batch_id LIMIT $2
