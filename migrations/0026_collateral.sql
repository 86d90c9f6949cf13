-- Charges, cash between accounts, and what an account has beside cash. Each asset has its own zero
-- sum: amounts of `asset:BTC:7`, `leaving:BTC:7` and `custody:BTC` are in the smallest unit of BTC.
-- Haircut values are never amounts of the ledger: what is counted is in collateral_count.
-- migrate:up
-- Only widened: what was allowed still is.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE ledger_account ADD CONSTRAINT ledger_account_check CHECK (
    account_idx IS NULL OR code = 'cash:' || account_idx
    OR code ~ ('^(asset|leaving):[A-Z0-9-]{1,12}:' || account_idx || '$')
);
COMMENT ON COLUMN posting.amount_usd_micros IS
    'micro-dollars; the smallest unit of the asset where the ledger account names one';

-- squawk-ignore ban-drop-constraint
ALTER TABLE transfer DROP CONSTRAINT transfer_reason_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE transfer ADD CONSTRAINT transfer_reason_check CHECK (reason IN (
    'deposit', 'withdrawal', 'variation_collect', 'variation_pay', 'move', 'trading_fee', 'clearing_fee',
    'delivery_fee', 'rebate', 'transfer', 'asset_deposit', 'asset_reserve', 'asset_paid',
    'asset_return'
));

CREATE TABLE collateral_count (
    account_idx        bigint NOT NULL,
    seq                bigint NOT NULL CHECK (seq > 0),
    counted_usd_micros bigint NOT NULL CHECK (counted_usd_micros >= 0),
    ts_ns              bigint NOT NULL,
    PRIMARY KEY (account_idx, seq)
);
CREATE INDEX collateral_count_seq ON collateral_count (seq);
CREATE TABLE asset_price (
    asset            bigint NOT NULL CHECK (asset > 0),
    seq              bigint NOT NULL CHECK (seq > 0),
    price_usd_micros bigint NOT NULL CHECK (price_usd_micros > 0),
    source           bigint NOT NULL,
    priced_ns        bigint NOT NULL,
    ts_ns            bigint NOT NULL CHECK (ts_ns >= priced_ns),
    PRIMARY KEY (asset, seq)
);
CREATE INDEX asset_price_seq ON asset_price (seq);
GRANT SELECT, INSERT ON collateral_count, asset_price TO wellhead_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['collateral_count', 'asset_price']
    LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM wellhead_app', name);
    END LOOP;
END $$;

CREATE VIEW violation_asset AS
SELECT 'balances of an asset sum to zero' AS rule,
    coalesce(substring(code FROM '^(?:asset|leaving|custody):([^:]+)'), 'USD') AS place,
    0::numeric AS expected, sum(balance_usd_micros) AS found
FROM balance JOIN ledger_account USING (ledger_account_id)
GROUP BY 2 HAVING sum(balance_usd_micros) <> 0
UNION ALL
SELECT 'no asset is overdrawn', code, 0, balance_usd_micros
FROM balance JOIN ledger_account USING (ledger_account_id)
WHERE code ~ '^(asset|leaving):' AND balance_usd_micros < 0;
GRANT SELECT ON violation_asset TO wellhead_app;

CREATE OR REPLACE VIEW violation AS
SELECT rule, place, expected, found FROM violation_now
UNION ALL SELECT rule, place, expected, found FROM violation_asset
UNION ALL SELECT rule, place, expected, found FROM violation_ledger
UNION ALL SELECT rule, place, expected, found FROM violation_position
UNION ALL SELECT rule, place, expected, found FROM violation_view;
