-- Everything that must never be: both views are empty when all is well.
-- violation_now reads what is small; violation reads all that ever happened as well.
-- migrate:up
CREATE VIEW violation_now AS
SELECT 'balances sum to zero' AS rule, 'all' AS place, 0::numeric AS expected,
    sum(balance_usd_micros) AS found
FROM balance HAVING sum(balance_usd_micros) <> 0
UNION ALL
SELECT 'settlement account is empty', code, 0, balance_usd_micros
FROM balance JOIN ledger_account USING (ledger_account_id)
WHERE code LIKE 'settlement:%' AND balance_usd_micros <> 0
UNION ALL
SELECT 'positions sum to zero', 'contract ' || contract_idx, 0, sum(qty_lots)
FROM position GROUP BY contract_idx HAVING sum(qty_lots) <> 0
UNION ALL
-- Per position this is the variation margin it ever received: what it was paid up to, less cost.
SELECT 'variation margin sums to zero', 'contract ' || contract_idx, 0,
    sum(carry_usd_micros - entry_usd_micros + realised_usd_micros)
FROM position GROUP BY contract_idx
HAVING sum(carry_usd_micros - entry_usd_micros + realised_usd_micros) <> 0
UNION ALL
SELECT 'open interest is the sum of longs', 'contract ' || contract_idx,
    coalesce(longs.qty_lots, 0), open_interest_lots
FROM contract LEFT JOIN (
    SELECT contract_idx, sum(qty_lots) AS qty_lots FROM position WHERE qty_lots > 0
    GROUP BY contract_idx
) AS longs USING (contract_idx)
WHERE open_interest_lots <> coalesce(longs.qty_lots, 0)
UNION ALL
SELECT 'clearing does not lead the journal', 'follower', head.last_seq, follower.last_seq
FROM follower, (
    SELECT coalesce(max(first_seq + count - 1), 0) AS last_seq FROM (
        SELECT first_seq, count FROM journal_batch ORDER BY first_seq DESC LIMIT 1
    ) AS newest
) AS head
WHERE follower.name = 'clearing' AND follower.last_seq > head.last_seq;

CREATE VIEW violation_ledger AS
SELECT 'transfer sums to zero' AS rule, 'transfer ' || transfer_id AS place,
    0::numeric AS expected, coalesce(sum(amount_usd_micros), 0) AS found
FROM transfer LEFT JOIN posting USING (transfer_id)
GROUP BY transfer_id HAVING coalesce(sum(amount_usd_micros), 0) <> 0 OR count(amount_usd_micros) < 2
UNION ALL
SELECT 'transfers are numbered without a gap', 'transfer ' || transfer_id, counted, transfer_id
FROM (SELECT transfer_id, row_number() OVER (ORDER BY transfer_id) AS counted FROM transfer) AS t
WHERE transfer_id <> counted
UNION ALL
SELECT 'posting continues its balance',
    'ledger account ' || ledger_account_id || ' version ' || version, due, balance_usd_micros
FROM (
    SELECT ledger_account_id, version, balance_usd_micros,
        sum(amount_usd_micros) OVER this AS due, row_number() OVER this AS counted
    FROM posting WINDOW this AS (PARTITION BY ledger_account_id ORDER BY version)
) AS p
WHERE balance_usd_micros <> due OR version <> counted
UNION ALL
SELECT 'balance is the sum of postings', 'ledger account ' || ledger_account_id,
    coalesce(due, 0), coalesce(balance_usd_micros, 0)
FROM balance FULL JOIN (
    SELECT ledger_account_id, sum(amount_usd_micros) AS due, max(version) AS last_version
    FROM posting GROUP BY ledger_account_id
) AS p USING (ledger_account_id)
WHERE due IS DISTINCT FROM balance_usd_micros OR last_version IS DISTINCT FROM version
UNION ALL
SELECT 'variation margin is posted in full', 'account ' || account_idx,
    coalesce(due, 0), coalesce(posted, 0)
FROM (
    SELECT account_idx, sum(amount_usd_micros) AS due FROM variation GROUP BY account_idx
) AS v FULL JOIN (
    SELECT account_idx, sum(amount_usd_micros) AS posted
    FROM posting JOIN transfer USING (transfer_id) JOIN ledger_account USING (ledger_account_id)
    WHERE reason IN ('variation_collect', 'variation_pay') AND account_idx IS NOT NULL
    GROUP BY account_idx
) AS p USING (account_idx)
WHERE coalesce(due, 0) <> coalesce(posted, 0)
UNION ALL
SELECT 'settlement pays what it collects', 'seq ' || seq, paid_usd_micros, coalesce(gained, 0)
FROM settlement LEFT JOIN (
    SELECT seq, sum(greatest(amount_usd_micros, 0)) AS gained, sum(amount_usd_micros) AS total
    FROM variation GROUP BY seq
) AS v USING (seq)
WHERE paid_usd_micros <> coalesce(gained, 0) OR coalesce(total, 0) <> 0;

CREATE VIEW violation_position AS
SELECT 'position is the sum of its events' AS rule,
    'account ' || account_idx || ' contract ' || contract_idx AS place,
    coalesce(e.qty_lots, 0) AS expected, coalesce(p.qty_lots, 0)::numeric AS found
FROM position AS p FULL JOIN (
    SELECT account_idx, contract_idx, sum(qty_lots) AS qty_lots
    FROM position_event GROUP BY account_idx, contract_idx
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
    SELECT seq, leg, count(*) AS sides, sum(qty_lots) AS total FROM position_event GROUP BY seq, leg
) AS e USING (seq, leg)
WHERE sides IS DISTINCT FROM 2 OR total <> 0 OR price_ticks IS NULL;

CREATE VIEW violation_view AS
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
    SELECT account_idx, order_id, sum(abs(qty_lots)) AS filled_lots,
        sum(abs(qty_lots) * price_ticks) AS filled_tick_lots
    FROM position_event GROUP BY account_idx, order_id
) AS e USING (account_idx, order_id)
WHERE (o.filled_lots, o.filled_tick_lots) IS DISTINCT FROM (e.filled_lots, e.filled_tick_lots);

CREATE VIEW violation AS
SELECT rule, place, expected, found FROM violation_now
UNION ALL SELECT rule, place, expected, found FROM violation_ledger
UNION ALL SELECT rule, place, expected, found FROM violation_position
UNION ALL SELECT rule, place, expected, found FROM violation_view;

GRANT SELECT ON violation_now, violation_ledger, violation_position, violation_view, violation
    TO wellhead_app;
