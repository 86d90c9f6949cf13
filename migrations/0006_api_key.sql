-- Keys that sign requests. A secret is encrypted: it must be read back to check a signature.
-- migrate:up
CREATE TABLE api_key (
    key_id           text PRIMARY KEY CHECK (length(key_id) <= 64),
    account_idx      bigint NOT NULL REFERENCES account,
    label            text NOT NULL CHECK (length(label) <= 200),
    scopes           text[] NOT NULL CHECK (scopes <@ ARRAY['read', 'trade', 'transfer', 'admin']),
    ip_allow         text[] NOT NULL,
    secret_encrypted bytea,
    public_key       bytea CHECK (octet_length(public_key) = 32),
    created_at       timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz,
    revoked_at       timestamptz,
    CHECK ((secret_encrypted IS NULL) <> (public_key IS NULL))
);
CREATE INDEX api_key_account ON api_key (account_idx);
GRANT SELECT, INSERT ON api_key TO wellhead_app;
GRANT UPDATE (revoked_at) ON api_key TO wellhead_app;
