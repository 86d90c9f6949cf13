-- Final settlements, numbered as the journal has them, and the roots over them.

-- name: finals
-- $3: how many.
SELECT numbered.* FROM (
    SELECT row_number() OVER (ORDER BY a.seq) AS number, c.symbol, a.seq, a.settled_ns, a.days,
        a.worth_usd_micros, a.open_interest_lots, a.paid_usd_micros, a.digest
    FROM accrual AS a JOIN contract AS c USING (contract_idx)
    WHERE a.is_final
) AS numbered
WHERE numbered.number > $1 AND numbered.settled_ns < $2
ORDER BY numbered.number LIMIT $3;

-- name: final_of
SELECT numbered.* FROM (
    SELECT row_number() OVER (ORDER BY a.seq) AS number, c.symbol, a.seq, a.settled_ns, a.days,
        a.worth_usd_micros, a.open_interest_lots, a.paid_usd_micros, a.digest
    FROM accrual AS a JOIN contract AS c USING (contract_idx)
    WHERE a.is_final
) AS numbered
WHERE numbered.symbol = $1;

-- name: followed_to
-- The minute that clearing has reached: all before it is written.
SELECT max(minute_ns) FROM journal_minute;

-- name: last_root
SELECT last_number, root FROM settlement_root ORDER BY day DESC LIMIT 1;

-- name: root_of
SELECT day, first_number, last_number, root, before, public_key, signature FROM settlement_root
WHERE first_number <= $1 AND last_number >= $1;

-- name: roots
SELECT day, first_number, last_number, root, before, public_key, signature FROM settlement_root
WHERE day < $1 ORDER BY day DESC LIMIT $2;

-- name: all_roots
SELECT day, first_number, last_number, root, before, public_key, signature FROM settlement_root
ORDER BY day;

-- name: add_root
INSERT INTO settlement_root (day, first_number, last_number, root, before, public_key, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING;
