-- Signatures that were accepted, until they are too old to be accepted anyway.
-- migrate:up
CREATE TABLE request_signature (
    digest     bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX request_signature_expiry ON request_signature (expires_at);
GRANT SELECT, INSERT, DELETE ON request_signature TO wellhead_app;
