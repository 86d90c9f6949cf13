-- Whose an account is, what can be delivered, what a member allows a client of margin and turnover,
-- and what the exchange told accounts: histories that nobody changes.
-- migrate:up
CREATE TABLE account_owner (
    owner_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx bigint NOT NULL REFERENCES account,
    owner_idx   bigint NOT NULL REFERENCES account,
    who         text NOT NULL,
    ts_ns       bigint NOT NULL
);
COMMENT ON COLUMN account_owner.owner_idx IS 'the account it is a sub-account of; itself: nobody''s. The last row holds';
CREATE INDEX account_owner_account ON account_owner (account_idx, owner_id);

CREATE TABLE capacity (
    capacity_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx bigint REFERENCES account,
    sku         text NOT NULL CHECK (length(sku) BETWEEN 1 AND 16),
    hub         text NOT NULL CHECK (length(hub) BETWEEN 1 AND 8),
    gpus        bigint NOT NULL CHECK (gpus BETWEEN 0 AND 1000000000),
    source      text NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
    who         text NOT NULL,
    ts_ns       bigint NOT NULL
);
COMMENT ON COLUMN capacity.account_idx IS 'who has registered it, null: measured of everybody else; the last row of each, SKU and hub holds';
CREATE INDEX capacity_account ON capacity (account_idx, sku, hub, capacity_id);

CREATE TABLE account_credit (
    credit_id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx            bigint NOT NULL REFERENCES account,
    member_idx             bigint REFERENCES account CHECK (member_idx <> account_idx),
    margin_max_usd_micros  bigint NOT NULL CHECK (margin_max_usd_micros >= 0),
    turnover_max_gpu_hours bigint NOT NULL CHECK (turnover_max_gpu_hours >= 0),
    who                    text NOT NULL,
    ts_ns                  bigint NOT NULL
);
COMMENT ON COLUMN account_credit.member_idx IS 'the member that allows it, null: an operator; the last row of each holds, a member''s while the account is its client';
COMMENT ON COLUMN account_credit.margin_max_usd_micros IS 'of initial margin; 0: no limit, as of turnover';
CREATE INDEX account_credit_account ON account_credit (account_idx, credit_id);

CREATE TABLE notice (
    notice_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx bigint NOT NULL REFERENCES account,
    kind        text NOT NULL
        CHECK (kind IN ('accountability', 'restrained', 'released', 'fund_call', 'fund_reminder')),
    once        text NOT NULL CHECK (length(once) BETWEEN 1 AND 80),
    body        jsonb NOT NULL,
    ts_ns       bigint NOT NULL,
    UNIQUE (account_idx, kind, once)
);
COMMENT ON COLUMN notice.once IS 'what makes it be said once: the day, the deadline, or the notice before';
COMMENT ON COLUMN notice.ts_ns IS 'core time';
CREATE INDEX notice_account ON notice (account_idx, notice_id);
CREATE INDEX notice_restraint ON notice (account_idx, notice_id)
    WHERE kind IN ('restrained', 'released');

CREATE FUNCTION tell_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wellhead_notice', NEW.notice_id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER notice_told AFTER INSERT ON notice FOR EACH ROW EXECUTE FUNCTION tell_notice();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['account_owner', 'capacity', 'account_credit', 'notice'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO wellhead_app', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM wellhead_app', name);
    END LOOP;
END $$;
