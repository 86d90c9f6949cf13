-- Billing of fills: how far it is, what it charges, tiers and rebates of a day.

-- name: place
SELECT b.last_seq, b.closed_day, f.last_seq AS cleared_seq
FROM billing AS b, follower AS f WHERE b.name = 'fees' AND f.name = 'clearing';

-- name: lock
SELECT last_seq, closed_day FROM billing WHERE name = 'fees' FOR UPDATE;

-- name: fills
-- What each account traded and owes in the commands after $1, up to $2; a lot of a contract whose
-- tick is $3 micro-dollars per GPU-hour has tick_value / $3 of them.
SELECT (e.ts_ns / 86400000000000)::bigint AS day, e.account_idx, e.contract_idx,
    sum(abs(e.qty_lots) * tick_value_usd_micros / $3)::bigint AS gpu_hours,
    coalesce(sum(abs(e.qty_lots) * tick_value_usd_micros / $3)
        FILTER (WHERE e.is_maker AND t.block = 0), 0)::bigint AS made,
    sum(e.trading_fee_usd_micros)::bigint AS trading,
    sum(e.clearing_fee_usd_micros)::bigint AS clearing
FROM trade AS t
CROSS JOIN LATERAL (VALUES
    (t.taker_account_idx, t.taker_side), (t.maker_account_idx, 1 - t.taker_side)
) AS one (account_idx, side)
JOIN position_event AS e ON e.account_idx = one.account_idx AND e.seq = t.seq AND e.leg = t.leg
    AND e.side = one.side
JOIN contract AS c ON c.contract_idx = e.contract_idx
WHERE t.seq > $1 AND t.seq <= $2 AND t.block IN (0, 1, 2) AND t.kind <> 1
GROUP BY 1, 2, 3;

-- name: add_volumes
INSERT INTO trade_volume AS v (day, account_idx, contract_idx, gpu_hours, maker_gpu_hours)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
ON CONFLICT (account_idx, day, contract_idx) DO UPDATE SET
    gpu_hours = v.gpu_hours + excluded.gpu_hours,
    maker_gpu_hours = v.maker_gpu_hours + excluded.maker_gpu_hours;

-- name: add_charges
INSERT INTO fee_charge (account_idx, kind, amount_usd_micros, after_seq, until_seq)
SELECT account_idx, kind, amount, $4, $5
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS c (account_idx, kind, amount)
ORDER BY account_idx, kind;

-- name: held
-- Who held what when a delivery began in the commands after $1, up to $2, and in which tier.
SELECT a.contract_idx, p.account_idx, a.seq, h.lots, c.tick_value_usd_micros / $3 AS lot_gpu_hours,
    k.kind, coalesce(t.tier, $4) AS tier, a.settled_ns / 86400000000000 AS day
FROM accrual AS a JOIN contract AS c USING (contract_idx) JOIN position AS p USING (contract_idx)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.qty_lots), 0)::bigint AS lots FROM position_event AS e
    WHERE e.account_idx = p.account_idx AND e.contract_idx = a.contract_idx AND e.seq < a.seq
) AS h
JOIN account AS k ON k.account_idx = p.account_idx
LEFT JOIN fee_tier AS t
    ON t.account_idx = p.account_idx AND t.day = a.settled_ns / 86400000000000
WHERE a.ordinal = 1 AND a.seq > $1 AND a.seq <= $2 AND h.lots <> 0
ORDER BY a.seq, p.account_idx;

-- name: add_delivery_fee
WITH owed AS (
    INSERT INTO fee_charge (account_idx, kind, amount_usd_micros, after_seq, until_seq)
    SELECT $2::bigint, 3, $7::bigint, $3::bigint - 1, $3::bigint WHERE $7::bigint > 0
    RETURNING charge_id
)
INSERT INTO delivery_fee (contract_idx, account_idx, seq, qty_lots, gpu_hours,
    usd_micros_per_gpu_hour, amount_usd_micros, charge_id)
VALUES ($1, $2::bigint, $3::bigint, $4, $5, $6, $7::bigint, (SELECT charge_id FROM owed));

-- name: exchanged
-- Who exchanged what for delivery in the commands after $1, up to $2, and in which tier.
SELECT m.seq, m.contract_idx, one.account_idx, one.lots,
    c.tick_value_usd_micros / $3 AS lot_gpu_hours, k.kind, coalesce(t.tier, $4) AS tier,
    m.ts_ns / 86400000000000 AS day
FROM position_move AS m JOIN contract AS c USING (contract_idx)
CROSS JOIN LATERAL (VALUES
    (m.giver_idx, m.qty_lots * (1 - 2 * m.side)), (m.receiver_idx, m.qty_lots * (2 * m.side - 1))
) AS one (account_idx, lots)
JOIN account AS k ON k.account_idx = one.account_idx
LEFT JOIN fee_tier AS t ON t.account_idx = one.account_idx AND t.day = m.ts_ns / 86400000000000
WHERE m.reason = 5 AND m.seq > $1 AND m.seq <= $2
ORDER BY m.seq, one.account_idx;

-- name: add_efd_fee
WITH owed AS (
    INSERT INTO fee_charge (account_idx, kind, amount_usd_micros, after_seq, until_seq)
    SELECT $2::bigint, 3, $7::bigint, $1::bigint - 1, $1::bigint WHERE $7::bigint > 0
    RETURNING charge_id
)
INSERT INTO efd_fee (seq, account_idx, contract_idx, qty_lots, gpu_hours,
    usd_micros_per_gpu_hour, amount_usd_micros, charge_id)
VALUES ($1::bigint, $2::bigint, $3, $4, $5, $6, $7::bigint, (SELECT charge_id FROM owed));

-- name: move_place
UPDATE billing SET last_seq = $1 WHERE name = 'fees';

-- name: pending
SELECT charge_id, account_idx, kind, amount_usd_micros FROM fee_charge
WHERE status = 'pending' ORDER BY charge_id LIMIT $1;

-- name: decided
UPDATE fee_charge SET status = $2, code = $3, seq = $4
WHERE charge_id = $1 AND status = 'pending';

-- name: volumes
SELECT account_idx, sum(gpu_hours)::bigint FROM trade_volume
WHERE day >= $1 AND day < $2 GROUP BY account_idx;

-- name: add_tiers
INSERT INTO fee_tier (account_idx, day, gpu_hours, tier)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[])
ON CONFLICT DO NOTHING;

-- name: tiers
SELECT account_idx, tier FROM fee_tier WHERE day = (SELECT closed_day + 1 FROM billing);

-- name: presences
SELECT p.account_idx, p.contract_idx, p.minutes_present, p.minutes_open,
    coalesce(v.maker_gpu_hours, 0)::bigint AS maker_gpu_hours
FROM maker_presence AS p LEFT JOIN trade_volume AS v USING (account_idx, day, contract_idx)
WHERE p.day = $1 AND (p.minutes_present > 0 OR v.maker_gpu_hours > 0)
ORDER BY p.account_idx, p.contract_idx;

-- name: add_rebate
WITH paid AS (
    INSERT INTO fee_charge (account_idx, kind, amount_usd_micros, after_seq, until_seq)
    SELECT $2::bigint, 4, -($7::bigint), $8::bigint, $8::bigint WHERE $7::bigint > 0
    RETURNING charge_id
)
INSERT INTO maker_rebate (day, account_idx, contract_idx, minutes_present, minutes_open,
    maker_gpu_hours, rebate_usd_micros, charge_id)
VALUES ($1, $2::bigint, $3, $4, $5, $6, $7::bigint, (SELECT charge_id FROM paid));

-- name: close_day
UPDATE billing SET closed_day = $1 WHERE name = 'fees' AND closed_day < $1;

-- name: add_presence
INSERT INTO maker_presence AS p (day, account_idx, contract_idx, minutes_present, minutes_open)
SELECT day, account_idx, contract_idx, present, 1
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
    AS m (day, account_idx, contract_idx, present)
ON CONFLICT (account_idx, day, contract_idx) DO UPDATE SET
    minutes_present = p.minutes_present + excluded.minutes_present,
    minutes_open = p.minutes_open + 1;

-- name: volume_of
SELECT coalesce(sum(gpu_hours), 0)::bigint, coalesce(sum(maker_gpu_hours), 0)::bigint
FROM trade_volume WHERE account_idx = $1 AND day >= $2 AND day < $3;

-- name: tier_of
SELECT tier FROM fee_tier
WHERE account_idx = $1 AND day = (SELECT closed_day + 1 FROM billing);

-- name: rebates_of
SELECT r.day, c.symbol, r.minutes_present, r.minutes_open, r.maker_gpu_hours, r.rebate_usd_micros
FROM maker_rebate AS r JOIN contract AS c USING (contract_idx)
WHERE r.account_idx = $1 AND r.day >= $2 ORDER BY r.day DESC, c.contract_idx LIMIT 1000;

-- name: presence_of
SELECT p.day, c.symbol, p.minutes_present, p.minutes_open
FROM maker_presence AS p JOIN contract AS c USING (contract_idx)
WHERE p.account_idx = $1 AND p.day = $2 ORDER BY c.contract_idx LIMIT 1000;

-- name: charged_of
SELECT kind, sum(amount_usd_micros)::bigint FROM fee_charge
WHERE account_idx = $1 AND status = 'done' GROUP BY kind;
