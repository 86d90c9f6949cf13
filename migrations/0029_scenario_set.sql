-- Sets of margin scenarios as they were published, and which of them was chosen when.
-- migrate:up
CREATE TABLE scenario_set (
    set_id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day            date NOT NULL,
    inputs_hash    text NOT NULL UNIQUE CHECK (inputs_hash ~ '^[0-9a-f]{32}$'),
    rows_hash      text NOT NULL CHECK (rows_hash ~ '^[0-9a-f]{32}$'),
    matrix_hash    text NOT NULL CHECK (matrix_hash ~ '^[0-9a-f]{32}$'),
    scenario_count bigint NOT NULL CHECK (scenario_count BETWEEN 1 AND 128),
    worst_count    bigint NOT NULL CHECK (worst_count BETWEEN 1 AND 4),
    error_max_ppm  bigint NOT NULL CHECK (error_max_ppm BETWEEN 0 AND 10000),
    document       jsonb NOT NULL,
    matrix         bytea NOT NULL,
    built_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN scenario_set.document IS 'rows with their stories, curve, prices, errors';
COMMENT ON COLUMN scenario_set.matrix IS
    'zlib of int64, little end first: contracts in the order of the prices, times scenarios';
COMMENT ON COLUMN scenario_set.error_max_ppm IS
    'how far a requirement lies below that of all rows, at most, in millionths';

CREATE TABLE scenario_choice (
    choice_id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    set_id              bigint NOT NULL REFERENCES scenario_set,
    chosen_by           text NOT NULL CHECK (length(chosen_by) BETWEEN 1 AND 64),
    seq                 bigint NOT NULL CHECK (seq >= 0),
    accounts_count      bigint NOT NULL CHECK (accounts_count >= 0),
    short_count         bigint NOT NULL CHECK (short_count >= 0),
    before_usd_micros   numeric NOT NULL,
    after_usd_micros    numeric NOT NULL,
    shortfall_usd_micros numeric NOT NULL CHECK (shortfall_usd_micros >= 0),
    chosen_at           timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE scenario_choice IS
    'the newest one is what the exchange uses; beside it what its dry run at command seq found';
CREATE INDEX scenario_choice_set ON scenario_choice (set_id);

GRANT SELECT, INSERT ON scenario_set, scenario_choice TO wellhead_app;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON scenario_set
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE scenario_set ENABLE ALWAYS TRIGGER append_only;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON scenario_choice
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE scenario_choice ENABLE ALWAYS TRIGGER append_only;
