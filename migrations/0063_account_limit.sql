-- What an operator, and its member, allow an account: a history that nobody changes. The core is
-- told the stricter of both, number by number.
-- migrate:up
CREATE TABLE account_limit (
    limit_id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx         bigint NOT NULL REFERENCES account,
    member_idx          bigint REFERENCES account CHECK (member_idx <> account_idx),
    qty_max_lots        bigint NOT NULL CHECK (qty_max_lots >= 0),
    notional_max_usd_micros bigint NOT NULL CHECK (notional_max_usd_micros >= 0),
    position_max_lots   bigint NOT NULL CHECK (position_max_lots >= 0),
    orders_per_second_max bigint NOT NULL CHECK (orders_per_second_max >= 0),
    open_orders_max     bigint NOT NULL CHECK (open_orders_max >= 0),
    who                 text NOT NULL,
    ts_ns               bigint NOT NULL
);
COMMENT ON COLUMN account_limit.member_idx IS 'the member that allows it, null: an operator; the last row of each holds, a member''s while the account is its client';
COMMENT ON COLUMN account_limit.qty_max_lots IS '0: no limit, as in all of them';
COMMENT ON COLUMN account_limit.who IS 'the key that asked';
COMMENT ON COLUMN account_limit.ts_ns IS 'core time';
CREATE INDEX account_limit_account ON account_limit (account_idx, limit_id);

GRANT SELECT, INSERT ON account_limit TO wellhead_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account_limit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE account_limit ENABLE ALWAYS TRIGGER append_only;
REVOKE UPDATE, DELETE, TRUNCATE ON account_limit FROM wellhead_app;
