-- The chain over all postings: a digest a day, signed with the key of the data folder.
-- migrate:up
CREATE TABLE ledger_head (
    day              bigint PRIMARY KEY CHECK (day > 0),
    last_transfer_id bigint NOT NULL UNIQUE CHECK (last_transfer_id > 0),
    digest           bytea NOT NULL CHECK (length(digest) = 32),
    public_key       bytea NOT NULL CHECK (length(public_key) = 32),
    signature        bytea NOT NULL CHECK (length(signature) = 64),
    created_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN ledger_head.day IS 'days since 1970, UTC; a closed one';
GRANT SELECT, INSERT ON ledger_head TO wellhead_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE ledger_head ENABLE ALWAYS TRIGGER append_only;
REVOKE UPDATE, DELETE, TRUNCATE ON ledger_head FROM wellhead_app;
