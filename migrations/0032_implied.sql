-- Implied trades: one order of a combination trades with one order in the book of each leg. The
-- combination's row has one side, its order's; the rows of the legs move positions and fill theirs.
-- migrate:up
ALTER TABLE trade ADD COLUMN implied boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN trade.implied IS
    'between an order of a combination (kind 1, which has one side) and one of each leg (kind 0)';

CREATE OR REPLACE VIEW violation_position AS
SELECT 'position is the sum of its events' AS rule,
    'account ' || account_idx || ' contract ' || contract_idx AS place,
    coalesce(e.qty_lots, 0) AS expected, coalesce(p.qty_lots, 0)::numeric AS found
FROM position AS p FULL JOIN (
    SELECT account_idx, contract_idx, sum(qty_lots) AS qty_lots
    FROM position_event WHERE contract_idx NOT IN (SELECT contract_idx FROM contract WHERE legs <> '')
    GROUP BY account_idx, contract_idx
) AS e USING (account_idx, contract_idx)
WHERE p.qty_lots IS DISTINCT FROM e.qty_lots
UNION ALL
SELECT 'position costs what its fills cost',
    'account ' || account_idx || ' contract ' || contract_idx, cost, entry - realised
FROM (
    SELECT account_idx, contract_idx, max(entry_usd_micros)::numeric AS entry,
        max(p.realised_usd_micros)::numeric AS realised,
        sum(e.qty_lots::numeric * price_ticks * tick_value_usd_micros) AS cost
    FROM position AS p JOIN position_event AS e USING (account_idx, contract_idx)
    JOIN contract USING (contract_idx)
    GROUP BY account_idx, contract_idx
) AS c
WHERE cost <> entry - realised
UNION ALL
SELECT 'position was paid its variation margin',
    'account ' || account_idx || ' contract ' || contract_idx, coalesce(paid, 0),
    coalesce(carry_usd_micros, 0)::numeric - coalesce(entry_usd_micros, 0)
    + coalesce(realised_usd_micros, 0)
FROM position FULL JOIN (
    SELECT account_idx, contract_idx, sum(amount_usd_micros) AS paid
    FROM variation GROUP BY account_idx, contract_idx
) AS v USING (account_idx, contract_idx)
WHERE coalesce(paid, 0) <> coalesce(carry_usd_micros, 0)::numeric - coalesce(entry_usd_micros, 0)
    + coalesce(realised_usd_micros, 0)
UNION ALL
SELECT 'trade has two sides', 'trade ' || seq || '-' || leg,
    CASE WHEN price_ticks IS NULL THEN 0 WHEN kind = 1 AND implied THEN 1 ELSE 2 END,
    coalesce(sides, 0)
FROM trade FULL JOIN (
    SELECT seq, leg, count(*) AS sides, sum(qty_lots) AS total
    FROM position_event WHERE order_id <> -1 GROUP BY seq, leg
) AS e USING (seq, leg)
WHERE sides IS DISTINCT FROM CASE WHEN kind = 1 AND implied THEN 1 ELSE 2 END
    OR total <> 0 AND NOT (kind = 1 AND implied) OR price_ticks IS NULL
UNION ALL
SELECT 'combination trades all its legs', 'trade ' || t.seq || '-' || t.leg,
    array_length(string_to_array(legs, ','), 1), count(l.leg)
FROM trade AS t JOIN contract USING (contract_idx) LEFT JOIN LATERAL (
    SELECT one.leg FROM trade AS one WHERE one.seq = t.seq AND one.kind = 2 AND one.leg > t.leg
        AND one.leg <= t.leg + array_length(string_to_array(contract.legs, ','), 1)
        AND one.qty_lots = t.qty_lots
        AND (one.taker_order_id, one.maker_order_id) = (t.taker_order_id, t.maker_order_id)
) AS l ON true
WHERE t.kind = 1 AND NOT t.implied
GROUP BY t.seq, t.leg, legs
HAVING count(l.leg) IS DISTINCT FROM array_length(string_to_array(legs, ','), 1)
UNION ALL
SELECT 'implied trade trades all its legs', 'trade ' || t.seq || '-' || t.leg,
    array_length(string_to_array(legs, ','), 1), count(l.leg)
FROM trade AS t JOIN contract USING (contract_idx) LEFT JOIN LATERAL (
    SELECT one.leg FROM trade AS one
    WHERE one.seq = t.seq AND one.kind = 0 AND one.implied AND one.leg > t.leg
        AND one.leg <= t.leg + array_length(string_to_array(contract.legs, ','), 1)
        AND one.qty_lots = t.qty_lots
        AND t.taker_order_id + t.maker_order_id IN (one.taker_order_id, one.maker_order_id)
) AS l ON true
WHERE t.kind = 1 AND t.implied
GROUP BY t.seq, t.leg, legs
HAVING count(l.leg) IS DISTINCT FROM array_length(string_to_array(legs, ','), 1)
UNION ALL
SELECT 'closed positions sum to zero', 'seq ' || seq || ' contract ' || contract_idx, 0,
    sum(qty_lots)
FROM position_event WHERE order_id = -1
GROUP BY seq, contract_idx HAVING sum(qty_lots) <> 0;

CREATE OR REPLACE VIEW violation_view AS
SELECT 'kline is made of its trades' AS rule,
    'contract ' || contract_idx || ' ' || interval_s || ' s at ' || open_ns AS place,
    coalesce(t.volume_lots, 0)::numeric AS expected, coalesce(k.volume_lots, 0)::numeric AS found
FROM kline AS k FULL JOIN (
    SELECT contract_idx, interval_s, ts_ns - ts_ns % (interval_s * 1000000000) AS open_ns,
        (array_agg(price_ticks ORDER BY seq, leg))[1] AS open_ticks,
        max(price_ticks) AS high_ticks, min(price_ticks) AS low_ticks,
        (array_agg(price_ticks ORDER BY seq DESC, leg DESC))[1] AS close_ticks,
        sum(qty_lots) AS volume_lots, sum(qty_lots * price_ticks) AS volume_tick_lots,
        count(*) AS trade_count
    FROM trade, unnest(ARRAY[60, 3600, 86400]::bigint[]) AS interval_s
    WHERE kind <> 2 AND block = 0
    GROUP BY contract_idx, interval_s, ts_ns - ts_ns % (interval_s * 1000000000)
) AS t USING (contract_idx, interval_s, open_ns)
WHERE (k.open_ticks, k.high_ticks, k.low_ticks, k.close_ticks, k.volume_lots, k.volume_tick_lots,
        k.trade_count)
    IS DISTINCT FROM (t.open_ticks, t.high_ticks, t.low_ticks, t.close_ticks, t.volume_lots,
        t.volume_tick_lots, t.trade_count)
UNION ALL
SELECT 'order is filled by its trades', 'account ' || account_idx || ' order ' || order_id,
    coalesce(e.filled_lots, 0), coalesce(o.filled_lots, 0)
FROM (SELECT * FROM order_history WHERE filled_lots > 0) AS o FULL JOIN (
    SELECT account_idx, order_id, sum(abs(e.qty_lots)) AS filled_lots,
        sum(abs(e.qty_lots) * e.price_ticks) AS filled_tick_lots
    FROM position_event AS e JOIN trade USING (seq, leg)
    WHERE kind <> 2 AND block = 0 AND NOT (kind = 0 AND implied AND EXISTS (
        SELECT 1 FROM order_history AS combined
        WHERE combined.account_idx = e.account_idx AND combined.order_id = e.order_id
            AND combined.contract_idx <> e.contract_idx
    ))
    GROUP BY account_idx, order_id
) AS e USING (account_idx, order_id)
WHERE (o.filled_lots, o.filled_tick_lots) IS DISTINCT FROM (e.filled_lots, e.filled_tick_lots);
