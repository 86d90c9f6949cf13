-- A trade that two agreed on away from the book: 1 a block, 2 an exchange for physical, 0 none.
-- Both its order ids are the deal's, so it fills no order, and klines are made without it.
-- migrate:up
ALTER TABLE trade ADD COLUMN block bigint NOT NULL DEFAULT 0 CHECK (block IN (0, 1, 2));

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
    WHERE block = 0
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
    SELECT account_idx, order_id, sum(abs(position_event.qty_lots)) AS filled_lots,
        sum(abs(position_event.qty_lots) * price_ticks) AS filled_tick_lots
    FROM position_event JOIN trade USING (seq, leg, contract_idx, price_ticks)
    WHERE block = 0 GROUP BY account_idx, order_id
) AS e USING (account_idx, order_id)
WHERE (o.filled_lots, o.filled_tick_lots) IS DISTINCT FROM (e.filled_lots, e.filled_tick_lots);
