-- What each named story would do to all accounts, played every night after the settlement.
-- migrate:up
CREATE TABLE stress_result (
    day                   bigint NOT NULL CHECK (day > 0),
    story                 text NOT NULL CHECK (length(story) BETWEEN 1 AND 64),
    whole                 boolean NOT NULL,
    seq                   bigint NOT NULL CHECK (seq >= 0),
    accounts_count        bigint NOT NULL CHECK (accounts_count >= 0),
    called_count          bigint NOT NULL CHECK (called_count >= 0),
    liquidated_count      bigint NOT NULL CHECK (liquidated_count >= 0),
    defaulted_count       bigint NOT NULL CHECK (defaulted_count >= 0),
    lost_usd_micros       numeric NOT NULL CHECK (lost_usd_micros >= 0),
    shortfall_usd_micros  numeric NOT NULL CHECK (shortfall_usd_micros >= 0),
    beyond_usd_micros     numeric NOT NULL CHECK (beyond_usd_micros >= 0),
    house_usd_micros      numeric NOT NULL,
    uncovered_usd_micros  numeric NOT NULL CHECK (uncovered_usd_micros >= 0),
    created_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (day, story, whole)
);
COMMENT ON COLUMN stress_result.day IS 'days since 1970, UTC: of the settlement before';
COMMENT ON COLUMN stress_result.whole IS 'the whole story, or what counts in the margin period';
GRANT SELECT, INSERT ON stress_result TO wellhead_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stress_result
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE stress_result ENABLE ALWAYS TRIGGER append_only;
REVOKE UPDATE, DELETE, TRUNCATE ON stress_result FROM wellhead_app;
