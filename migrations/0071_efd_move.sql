-- A leg of the exchange for delivery is a move of its own kind, and both sides owe a fee for it.
-- migrate:up
-- squawk-ignore ban-drop-constraint
ALTER TABLE trade DROP CONSTRAINT trade_block_check;
ALTER TABLE trade ADD CONSTRAINT trade_block_check CHECK (block IN (0, 1, 2, 3, 4, 5)) NOT VALID;
COMMENT ON COLUMN trade.block IS '0: of a book, 1: a block, 2: an exchange for physical, '
    '3: moved by the clearing house, 4: by a cascade, 5: exchanged for delivery';
COMMENT ON COLUMN position_move.reason IS '0: porting, 1: give-up, 2: take-over, 3: deleveraging, '
    '4: auction, 5: exchange for delivery';

CREATE TABLE efd_fee (
    seq                     bigint NOT NULL CHECK (seq > 0),
    account_idx             bigint NOT NULL,
    contract_idx            bigint NOT NULL,
    qty_lots                bigint NOT NULL CHECK (qty_lots <> 0),
    gpu_hours               bigint NOT NULL CHECK (gpu_hours > 0),
    usd_micros_per_gpu_hour bigint NOT NULL CHECK (usd_micros_per_gpu_hour >= 0),
    amount_usd_micros       bigint NOT NULL
        CHECK (amount_usd_micros = gpu_hours * usd_micros_per_gpu_hour),
    charge_id               bigint UNIQUE REFERENCES fee_charge,
    PRIMARY KEY (seq, account_idx),
    CHECK ((charge_id IS NULL) = (amount_usd_micros = 0))
);
COMMENT ON COLUMN efd_fee.seq IS 'the command that moved the position';
COMMENT ON COLUMN efd_fee.qty_lots IS 'bought above zero, sold below';
GRANT SELECT, INSERT ON efd_fee TO wellhead_app;
REVOKE UPDATE, DELETE, TRUNCATE ON efd_fee FROM wellhead_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON efd_fee
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE efd_fee ENABLE ALWAYS TRIGGER append_only;

-- Both sides of every leg, beside what a fee was worked out for.
CREATE VIEW violation_efd_fee AS
SELECT 'fees are of all lots exchanged for delivery' AS rule,
    'command ' || coalesce(m.seq, f.seq) AS place, coalesce(2 * m.qty_lots, 0)::numeric AS expected,
    coalesce(f.lots, 0)::numeric AS found
FROM (
    SELECT seq, qty_lots FROM position_move
    WHERE reason = 5 AND seq <= (SELECT last_seq FROM billing)
) AS m FULL JOIN (
    SELECT seq, sum(abs(qty_lots)) AS lots FROM efd_fee GROUP BY seq
) AS f USING (seq)
WHERE 2 * m.qty_lots IS DISTINCT FROM f.lots
UNION ALL
SELECT 'fee of an exchange for delivery is charged', 'charge ' || d.charge_id, d.amount_usd_micros,
    coalesce(c.amount_usd_micros, 0)
FROM efd_fee AS d LEFT JOIN fee_charge AS c
    ON c.charge_id = d.charge_id AND c.account_idx = d.account_idx AND c.kind = 3
WHERE d.amount_usd_micros <> coalesce(c.amount_usd_micros, 0);
GRANT SELECT ON violation_efd_fee TO wellhead_app;
