-- Deposits and withdrawals on their way to the core (an outbox).
-- migrate:up
CREATE SEQUENCE transfer_ref;
CREATE TABLE transfer_request (
    transfer_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx       bigint NOT NULL REFERENCES account,
    amount_usd_micros bigint NOT NULL CHECK (amount_usd_micros <> 0),
    client_key        text NOT NULL CHECK (length(client_key) BETWEEN 1 AND 64),
    status            text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'sent', 'done', 'refused')),
    ref_id            bigint UNIQUE,
    code              bigint,
    seq               bigint,
    created_at        timestamptz NOT NULL DEFAULT now(),
    decided_at        timestamptz,
    UNIQUE (account_idx, client_key),
    CHECK ((status = 'pending') = (ref_id IS NULL)),
    CHECK ((status = 'refused') = (code IS NOT NULL))
);
-- One at a time per account: the core takes reference numbers of an account in rising order.
CREATE UNIQUE INDEX transfer_request_sent ON transfer_request (account_idx) WHERE status = 'sent';
CREATE INDEX transfer_request_pending ON transfer_request (account_idx, transfer_id)
    WHERE status = 'pending';

GRANT SELECT, INSERT ON transfer_request TO wellhead_app;
GRANT UPDATE (status, ref_id, code, seq, decided_at) ON transfer_request TO wellhead_app;
GRANT USAGE ON SEQUENCE transfer_ref TO wellhead_app;
