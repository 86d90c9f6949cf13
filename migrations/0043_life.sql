-- The life of contracts: cascades, and settlements in delivery, in whole micro-dollars a lot.
-- migrate:up
-- squawk-ignore ban-drop-constraint
ALTER TABLE trade DROP CONSTRAINT trade_block_check;
ALTER TABLE trade ADD CONSTRAINT trade_block_check CHECK (block IN (0, 1, 2, 3, 4)) NOT VALID;
COMMENT ON COLUMN trade.block IS '0: of a book, 1: a block, 2: an exchange for physical, '
    '3: moved by the clearing house, 4: by a cascade';
ALTER TABLE contract ADD COLUMN fine_usd_micros bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN contract.fine_usd_micros IS 'in delivery: what a lot is worth beyond its mark';
ALTER TABLE position_event ADD COLUMN fine_usd_micros bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN position_event.fine_usd_micros IS 'of one lot, beyond the price: in delivery';

CREATE TABLE accrual (
    contract_idx       bigint NOT NULL,
    seq                bigint NOT NULL CHECK (seq > 0),
    ordinal            bigint NOT NULL CHECK (ordinal > 0),
    settled_ns         bigint NOT NULL,
    days_fixed         bigint NOT NULL CHECK (days_fixed BETWEEN 0 AND days),
    days               bigint NOT NULL CHECK (days > 0),
    is_final           boolean NOT NULL CHECK (NOT is_final OR days_fixed = days),
    worth_usd_micros   bigint NOT NULL CHECK (worth_usd_micros > 0),
    open_interest_lots bigint NOT NULL CHECK (open_interest_lots >= 0),
    paid_usd_micros    bigint NOT NULL CHECK (paid_usd_micros >= 0),
    digest             text NOT NULL,
    PRIMARY KEY (contract_idx, seq),
    UNIQUE (contract_idx, ordinal)
);
COMMENT ON TABLE accrual IS 'settlements of contracts in delivery, as the journal has them';
COMMENT ON COLUMN accrual.digest IS 'SHA-256 of the prints it was reached from';
CREATE INDEX accrual_seq ON accrual (seq);
GRANT SELECT, INSERT ON accrual TO wellhead_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON accrual
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE accrual ENABLE ALWAYS TRIGGER append_only;
REVOKE UPDATE, DELETE, TRUNCATE ON accrual FROM wellhead_app;

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
        sum(e.qty_lots * (price_ticks::numeric * tick_value_usd_micros + e.fine_usd_micros))
            AS cost
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
