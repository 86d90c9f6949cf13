-- Assets in and out on their way to the core (an outbox), what admins approved, and where a
-- withdrawal may go to: an address is usable a day after it was added.
-- migrate:up
CREATE TABLE asset_request (
    request_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx bigint NOT NULL REFERENCES account,
    asset       bigint NOT NULL CHECK (asset > 0),
    move        bigint NOT NULL CHECK (move BETWEEN 1 AND 4),
    units       bigint NOT NULL CHECK (units > 0),
    client_key  text NOT NULL CHECK (length(client_key) BETWEEN 1 AND 64),
    address     text NOT NULL DEFAULT '' CHECK (length(address) <= 128),
    parent_id   bigint UNIQUE REFERENCES asset_request,
    status      text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'sent', 'done', 'refused')),
    ref_id      bigint,
    code        bigint,
    seq         bigint,
    created_at  timestamptz NOT NULL DEFAULT now(),
    decided_at  timestamptz,
    UNIQUE (account_idx, client_key),
    CHECK ((status = 'pending') = (ref_id IS NULL)),
    CHECK ((status = 'refused') = (code IS NOT NULL)),
    CHECK ((move IN (3, 4)) = (parent_id IS NOT NULL))
);
-- One at a time per account: its moves are numbered 1, 2, 3 in the core.
CREATE UNIQUE INDEX asset_request_sent ON asset_request (account_idx) WHERE status = 'sent';
CREATE INDEX asset_request_pending ON asset_request (account_idx, request_id)
    WHERE status = 'pending';
CREATE INDEX asset_request_done ON asset_request (account_idx) WHERE status = 'done';
COMMENT ON COLUMN asset_request.parent_id IS
    'of a payment or a return: the withdrawal it decides, once';

CREATE TABLE asset_approval (
    request_id bigint NOT NULL REFERENCES asset_request,
    approver   text NOT NULL CHECK (length(approver) BETWEEN 1 AND 64),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (request_id, approver)
);

CREATE TABLE withdrawal_address (
    account_idx bigint NOT NULL REFERENCES account,
    asset       bigint NOT NULL CHECK (asset > 0),
    address     text NOT NULL CHECK (length(address) BETWEEN 1 AND 128),
    label       text NOT NULL CHECK (length(label) <= 64),
    created_at  timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz,
    PRIMARY KEY (account_idx, asset, address, created_at)
);
CREATE UNIQUE INDEX withdrawal_address_live ON withdrawal_address (account_idx, asset, address)
    WHERE removed_at IS NULL;

GRANT SELECT, INSERT ON asset_request, asset_approval, withdrawal_address TO wellhead_app;
GRANT UPDATE (status, ref_id, code, seq, decided_at) ON asset_request TO wellhead_app;
GRANT UPDATE (removed_at) ON withdrawal_address TO wellhead_app;
