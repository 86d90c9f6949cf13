-- The default fund: what it must be, day by day; and the proofs of who bore a default.
-- migrate:up
CREATE TABLE fund_sizing (
    day             bigint PRIMARY KEY CHECK (day > 0),
    seq             bigint NOT NULL CHECK (seq > 0),
    ts_ns           bigint NOT NULL,
    size_usd_micros bigint NOT NULL CHECK (size_usd_micros >= 0),
    held_usd_micros bigint NOT NULL CHECK (held_usd_micros >= 0),
    body            jsonb NOT NULL
);
COMMENT ON COLUMN fund_sizing.day IS 'since 1970, UTC, of the core''s time';
COMMENT ON COLUMN fund_sizing.body IS 'inputs and results: groups, covers, contributions, alarms';

CREATE TABLE loss_proof (
    liquidation_id bigint NOT NULL,
    round_no       bigint NOT NULL,
    digest         text NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (liquidation_id, round_no)
);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX waterfall_use_giver ON waterfall_use (giver_idx, seq);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['fund_sizing', 'loss_proof']
    LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO wellhead_app', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM wellhead_app', name);
    END LOOP;
END $$;
