-- name: insert_set
INSERT INTO scenario_set (day, inputs_hash, rows_hash, matrix_hash, scenario_count, worst_count,
    error_max_ppm, document, matrix)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9)
ON CONFLICT (inputs_hash) DO NOTHING
RETURNING set_id

-- name: set_by_inputs
SELECT set_id, rows_hash, matrix_hash FROM scenario_set WHERE inputs_hash = $1

-- name: sets
SELECT set_id, day, inputs_hash, rows_hash, matrix_hash, scenario_count, worst_count,
    error_max_ppm, built_at,
    (SELECT max(chosen_at) FROM scenario_choice AS c WHERE c.set_id = s.set_id) AS chosen_at
FROM scenario_set AS s WHERE set_id < $1 ORDER BY set_id DESC LIMIT $2

-- name: one_set
SELECT set_id, document, built_at,
    (SELECT max(chosen_at) FROM scenario_choice AS c WHERE c.set_id = s.set_id) AS chosen_at
FROM scenario_set AS s WHERE set_id = $1

-- name: matrix
SELECT matrix, scenario_count, document -> 'prices_ticks' AS prices_ticks, matrix_hash
FROM scenario_set WHERE set_id = $1

-- name: chosen_of_day
SELECT c.set_id FROM scenario_choice AS c JOIN scenario_set AS s USING (set_id)
WHERE s.day = $1 AND c.chosen_by = $2 ORDER BY c.choice_id DESC LIMIT 1

-- name: insert_choice
INSERT INTO scenario_choice (set_id, chosen_by, seq, accounts_count, short_count,
    before_usd_micros, after_usd_micros, shortfall_usd_micros)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING choice_id

-- name: chosen
SELECT c.set_id, s.document FROM scenario_choice AS c JOIN scenario_set AS s USING (set_id)
ORDER BY c.choice_id DESC LIMIT 1

-- name: chosen_id
SELECT set_id FROM scenario_choice ORDER BY choice_id DESC LIMIT 1

-- name: insert_addons
INSERT INTO scenario_addons (set_id, addons_hash, document) VALUES ($1, $2, $3::jsonb)
ON CONFLICT (set_id) DO NOTHING

-- name: addons
SELECT document FROM scenario_addons WHERE set_id = $1

-- name: traded_lots
SELECT c.contract_idx, t.lots::bigint AS lots
FROM unnest($1::bigint[]) AS c (contract_idx)
CROSS JOIN LATERAL (
    SELECT sum(volume_lots) AS lots FROM kline
    WHERE contract_idx = c.contract_idx AND interval_s = 86400 AND open_ns >= $2 AND open_ns < $3
) AS t
WHERE t.lots IS NOT NULL
