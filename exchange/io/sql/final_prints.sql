-- Final prints, which contracts in delivery are settled by.

-- name: after
SELECT position, name, day, price_usd_micros, digest
FROM index_print WHERE position > $1 AND state = 'final' AND day >= $2
ORDER BY position LIMIT $3;
