-- Signed roots over final settlements of contracts that delivered, one a closed day that had some.
-- migrate:up
CREATE TABLE settlement_root (
    day          bigint PRIMARY KEY CHECK (day > 0),
    first_number bigint NOT NULL UNIQUE CHECK (first_number > 0),
    last_number  bigint NOT NULL UNIQUE CHECK (last_number >= first_number),
    root         bytea NOT NULL CHECK (length(root) = 32),
    before       bytea NOT NULL CHECK (length(before) = 32),
    public_key   bytea NOT NULL CHECK (length(public_key) = 32),
    signature    bytea NOT NULL CHECK (length(signature) = 64),
    created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN settlement_root.first_number IS
    'final settlements are numbered from 1 in the order of the journal';
GRANT SELECT, INSERT ON settlement_root TO wellhead_app;
REVOKE UPDATE, DELETE, TRUNCATE ON settlement_root FROM wellhead_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_root
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE settlement_root ENABLE ALWAYS TRIGGER append_only;
