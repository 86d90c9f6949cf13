-- Nightly results of the stress stories.

-- name: add
INSERT INTO stress_result (day, story, whole, seq, accounts_count, called_count, liquidated_count,
    defaulted_count, lost_usd_micros, shortfall_usd_micros, beyond_usd_micros, house_usd_micros,
    uncovered_usd_micros)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (day, story, whole) DO NOTHING;

-- name: last_day
SELECT coalesce(max(day), 0) FROM stress_result WHERE day <= $1;

-- name: of_day
SELECT day, story, whole, seq, accounts_count, called_count, liquidated_count, defaulted_count,
    lost_usd_micros, shortfall_usd_micros, beyond_usd_micros, house_usd_micros,
    uncovered_usd_micros
FROM stress_result
WHERE day = (SELECT max(day) FROM stress_result WHERE day <= $1)
ORDER BY house_usd_micros, beyond_usd_micros DESC, story, whole;
