-- What each settlement price was reached from; of the prices before, nobody said.
-- migrate:up
ALTER TABLE settlement
    ADD COLUMN cycle      bigint NOT NULL DEFAULT 0,
    ADD COLUMN due_ns     bigint NOT NULL DEFAULT 0,
    ADD COLUMN rule       bigint NOT NULL DEFAULT 0,
    ADD COLUMN source     bigint NOT NULL DEFAULT 0,
    ADD COLUMN run        text   NOT NULL DEFAULT '';
COMMENT ON COLUMN settlement.source IS 'the contract_idx plus one whose price it followed, 0 for none';
COMMENT ON COLUMN settlement.cycle IS
    '0: daily or final; 1: midday, 2: a mark moved, 3: a member lost, 4: a correction';

-- What the calendar saw of each contract; `run` is the hash of all rows of one moment together,
-- and the journal says it with each price.
CREATE TABLE settlement_input (
    run          text   NOT NULL CHECK (length(run) = 64),
    contract_idx bigint NOT NULL,
    due_ns       bigint NOT NULL,
    body         jsonb  NOT NULL,
    PRIMARY KEY (run, contract_idx)
);
GRANT SELECT, INSERT ON settlement_input TO wellhead_app;
REVOKE UPDATE, DELETE, TRUNCATE ON settlement_input FROM wellhead_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_input
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE settlement_input ENABLE ALWAYS TRIGGER append_only;
