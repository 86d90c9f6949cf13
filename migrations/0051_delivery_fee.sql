-- The fee for delivery: who held how many lots when it began, and what that was charged.
-- migrate:up
ALTER TABLE billing ADD COLUMN delivery_after_seq bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN billing.delivery_after_seq IS 'deliveries that began up to this command cost nothing';
UPDATE billing SET delivery_after_seq = last_seq;

CREATE TABLE delivery_fee (
    contract_idx            bigint NOT NULL,
    account_idx             bigint NOT NULL,
    seq                     bigint NOT NULL CHECK (seq > 0),
    qty_lots                bigint NOT NULL CHECK (qty_lots <> 0),
    gpu_hours               bigint NOT NULL CHECK (gpu_hours > 0),
    usd_micros_per_gpu_hour bigint NOT NULL CHECK (usd_micros_per_gpu_hour >= 0),
    amount_usd_micros       bigint NOT NULL
        CHECK (amount_usd_micros = gpu_hours * usd_micros_per_gpu_hour),
    charge_id               bigint UNIQUE REFERENCES fee_charge,
    PRIMARY KEY (contract_idx, account_idx),
    CHECK ((charge_id IS NULL) = (amount_usd_micros = 0))
);
COMMENT ON COLUMN delivery_fee.seq IS 'the command that delivery began with';
COMMENT ON COLUMN delivery_fee.qty_lots IS 'held then: short is negative';
GRANT SELECT, INSERT ON delivery_fee TO wellhead_app;
REVOKE UPDATE, DELETE, TRUNCATE ON delivery_fee FROM wellhead_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON delivery_fee
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE delivery_fee ENABLE ALWAYS TRIGGER append_only;

-- Every lot that was held, long and short, beside those that a fee was worked out for.
CREATE VIEW violation_delivery_fee AS
SELECT 'delivery fees are of all lots held' AS rule, 'contract ' || a.contract_idx AS place,
    2 * a.open_interest_lots::numeric AS expected, coalesce(f.lots, 0)::numeric AS found
FROM accrual AS a LEFT JOIN (
    SELECT contract_idx, sum(abs(qty_lots)) AS lots FROM delivery_fee GROUP BY contract_idx
) AS f USING (contract_idx)
WHERE a.ordinal = 1
    AND a.seq > (SELECT delivery_after_seq FROM billing) AND a.seq <= (SELECT last_seq FROM billing)
    AND 2 * a.open_interest_lots <> coalesce(f.lots, 0)
UNION ALL
SELECT 'delivery fee is charged', 'charge ' || d.charge_id, d.amount_usd_micros,
    coalesce(c.amount_usd_micros, 0)
FROM delivery_fee AS d LEFT JOIN fee_charge AS c
    ON c.charge_id = d.charge_id AND c.account_idx = d.account_idx AND c.kind = 3
WHERE d.amount_usd_micros <> coalesce(c.amount_usd_micros, 0);
GRANT SELECT ON violation_delivery_fee TO wellhead_app;
