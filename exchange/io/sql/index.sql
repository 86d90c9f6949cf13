-- The index as it was published: rows are only ever added.

-- name: lock
SELECT pg_advisory_xact_lock(7214502342)

-- name: head
SELECT position, digest FROM index_print ORDER BY position DESC LIMIT 1

-- name: ends
SELECT max(day) FILTER (WHERE state = 'final') AS final_day,
    max(day) FILTER (WHERE state = 'provisional') AS provisional_day
FROM index_print

-- name: groups
SELECT day, state, revision, observed_to
FROM index_print GROUP BY day, state, revision, observed_to ORDER BY min(position)

-- name: rows
SELECT position, name, day, revision, state, price_usd_micros, step, method, inputs, observed_to,
    explanation, digest, published_at
FROM index_print WHERE position > $1 ORDER BY position LIMIT $2

-- name: prints
SELECT DISTINCT ON (day) position, name, day, revision, state, price_usd_micros, step, method,
    inputs, observed_to, explanation, digest, published_at
FROM index_print WHERE name = $1 AND day >= $2 AND day <= $3 ORDER BY day, revision DESC

-- name: prints_newest
SELECT * FROM (
    SELECT DISTINCT ON (day) position, name, day, revision, state, price_usd_micros, step, method,
        inputs, observed_to, explanation, digest, published_at
    FROM index_print WHERE name = $1 AND day >= $2 AND day < $3 ORDER BY day DESC, revision DESC
) AS newest
LIMIT $4

-- name: revisions
SELECT position, name, day, revision, state, price_usd_micros, step, method, inputs, observed_to,
    explanation, digest, published_at
FROM index_print WHERE name = $1 AND day = $2 ORDER BY revision

-- name: latest
SELECT DISTINCT ON (name) position, name, day, revision, state, price_usd_micros, step, method,
    inputs, observed_to, explanation, digest, published_at
FROM index_print WHERE day >= $1 ORDER BY name, day DESC, revision DESC

-- name: is_known
SELECT EXISTS (SELECT FROM index_print WHERE name = $1)

-- name: document
SELECT document FROM index_panel WHERE inputs = $1

-- name: documents
SELECT inputs, document FROM index_panel WHERE inputs > $1 ORDER BY inputs LIMIT $2

-- name: known_documents
SELECT inputs FROM index_panel WHERE inputs = ANY ($1::text[])

-- name: add_documents
INSERT INTO index_panel (inputs, document)
SELECT i, d::jsonb FROM unnest($1::text[], $2::text[]) AS t (i, d)
ON CONFLICT (inputs) DO NOTHING

-- name: add_prints
INSERT INTO index_print (position, name, day, revision, state, price_usd_micros, step, method,
    inputs, observed_to, explanation, digest)
SELECT p, n, d, r, s, m, t, h, i, o, e::jsonb, g
FROM unnest($1::bigint[], $2::text[], $3::date[], $4::bigint[], $5::text[], $6::bigint[],
    $7::bigint[], $8::text[], $9::text[], $10::bigint[], $11::text[], $12::text[])
    AS u (p, n, d, r, s, m, t, h, i, o, e, g)

-- name: say
INSERT INTO index_committee (name, day, price_usd_micros, reason, said_by)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name, day, said_by) DO NOTHING
RETURNING name

-- name: is_final
SELECT EXISTS (SELECT FROM index_print WHERE day >= $1 AND state = 'final')

-- name: said
SELECT name, day, price_usd_micros, reason, said_by, said_at
FROM index_committee WHERE ($1::text IS NULL OR name = $1) ORDER BY said_at, name, day, said_by

-- name: add_errata
INSERT INTO index_erratum (name, day, published_usd_micros, corrected_usd_micros, observed_to)
SELECT * FROM unnest($1::text[], $2::date[], $3::bigint[], $4::bigint[], $5::bigint[])
ON CONFLICT (name, day, corrected_usd_micros) DO NOTHING
RETURNING erratum_id

-- name: errata
SELECT erratum_id, name, day, published_usd_micros, corrected_usd_micros, observed_to, found_at
FROM index_erratum WHERE erratum_id < $1 ORDER BY erratum_id DESC LIMIT $2

-- name: observed
SELECT coalesce(max(number), 0) FROM observation
