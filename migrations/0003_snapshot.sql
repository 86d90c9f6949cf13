-- Saved states of the engine, so that a start replays only the tail of the journal.
-- migrate:up
CREATE TABLE snapshot (
    seq              bigint PRIMARY KEY CHECK (seq >= 0),
    state_hash       bytea NOT NULL,
    journal_checksum bytea NOT NULL,
    parts            bigint NOT NULL CHECK (parts > 0),
    blob_checksum    bytea NOT NULL CHECK (octet_length(blob_checksum) = 32),
    engine_version   text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE snapshot_part (
    seq     bigint NOT NULL REFERENCES snapshot ON DELETE CASCADE,
    part_no bigint NOT NULL CHECK (part_no >= 0),
    bytes   bytea NOT NULL,
    PRIMARY KEY (seq, part_no)
);
ALTER TABLE snapshot_part ALTER COLUMN bytes SET STORAGE EXTERNAL;

GRANT SELECT, INSERT, DELETE ON snapshot, snapshot_part TO wellhead_app;
