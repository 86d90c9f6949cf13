-- What was closed without a trade has the order id -1: 0 is that of a move outside a liquidation.
-- migrate:up
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
    CASE WHEN price_ticks IS NULL THEN 0 ELSE 2 END, coalesce(sides, 0)
FROM trade FULL JOIN (
    SELECT seq, leg, count(*) AS sides, sum(qty_lots) AS total
    FROM position_event WHERE order_id <> -1 GROUP BY seq, leg
) AS e USING (seq, leg)
WHERE sides IS DISTINCT FROM 2 OR total <> 0 OR price_ticks IS NULL
UNION ALL
SELECT 'combination trades all its legs', 'trade ' || t.seq || '-' || t.leg,
    array_length(string_to_array(legs, ','), 1), count(l.leg)
FROM trade AS t JOIN contract USING (contract_idx) LEFT JOIN LATERAL (
    SELECT one.leg FROM trade AS one WHERE one.seq = t.seq AND one.kind = 2 AND one.leg > t.leg
        AND one.leg <= t.leg + array_length(string_to_array(contract.legs, ','), 1)
        AND one.qty_lots = t.qty_lots
        AND (one.taker_order_id, one.maker_order_id) = (t.taker_order_id, t.maker_order_id)
) AS l ON true
WHERE t.kind = 1
GROUP BY t.seq, t.leg, legs
HAVING count(l.leg) IS DISTINCT FROM array_length(string_to_array(legs, ','), 1)
UNION ALL
SELECT 'closed positions sum to zero', 'seq ' || seq || ' contract ' || contract_idx, 0,
    sum(qty_lots)
FROM position_event WHERE order_id = -1
GROUP BY seq, contract_idx HAVING sum(qty_lots) <> 0;
