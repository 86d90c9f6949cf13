-- The journal: one row per batch, written once, by the leader, in order.
-- migrate:up
CREATE TABLE journal_batch (
    first_seq      bigint PRIMARY KEY CHECK (first_seq > 0),
    count          bigint NOT NULL CHECK (count > 0),
    ts_ns          bigint NOT NULL,
    epoch          bigint NOT NULL,
    engine_version text NOT NULL,
    written_at     timestamptz NOT NULL DEFAULT now(),
    checksum       bytea NOT NULL CHECK (octet_length(checksum) = 32),
    commands       bytea NOT NULL CHECK (octet_length(commands) = count * 128),
    events         bytea NOT NULL CHECK (octet_length(events) >= count * 64)
);
-- Bytes as they are: compressing them costs more than writing them.
ALTER TABLE journal_batch ALTER COLUMN commands SET STORAGE EXTERNAL;
ALTER TABLE journal_batch ALTER COLUMN events SET STORAGE EXTERNAL;

-- The engine's state after command seq, so that a replay can be compared.
CREATE TABLE state_hash (
    seq            bigint PRIMARY KEY CHECK (seq > 0),
    hash           bytea NOT NULL,
    engine_version text NOT NULL
);

-- Nobody changes what was written: neither table is ever granted UPDATE, DELETE or TRUNCATE.
GRANT SELECT, INSERT ON journal_batch, state_hash TO wellhead_app;
