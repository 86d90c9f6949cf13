-- Accounts as their owners know them; opened_seq is the command that opened it in the core.
-- migrate:up
CREATE TABLE account (
    account_idx bigint PRIMARY KEY CHECK (account_idx >= 0),
    account_id  text NOT NULL UNIQUE CHECK (account_id ~ '^[A-Za-z0-9._-]{1,32}$'),
    name        text NOT NULL CHECK (length(name) <= 200),
    kind        text NOT NULL CHECK (kind ~ '^[a-z_]{1,32}$'),
    created_at  timestamptz NOT NULL DEFAULT now(),
    opened_seq  bigint CHECK (opened_seq >= 0)
);
CREATE INDEX account_unopened ON account (account_idx) WHERE opened_seq IS NULL;
GRANT SELECT, INSERT ON account TO wellhead_app;
GRANT UPDATE (opened_seq) ON account TO wellhead_app;
