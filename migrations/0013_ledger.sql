-- Double entry: a transfer's postings sum to zero; each ledger account counts its postings.
-- migrate:up
CREATE TABLE ledger_account (
    ledger_account_id bigint PRIMARY KEY CHECK (ledger_account_id > 0),
    code              text NOT NULL UNIQUE,
    account_idx       bigint,
    CHECK (account_idx IS NULL OR code = 'cash:' || account_idx)
);
CREATE TABLE transfer (
    transfer_id bigint PRIMARY KEY CHECK (transfer_id > 0),
    seq         bigint NOT NULL CHECK (seq > 0),
    leg         bigint NOT NULL CHECK (leg >= 0),
    reason      text NOT NULL
        CHECK (reason IN ('deposit', 'withdrawal', 'variation_collect', 'variation_pay')),
    ref_id      bigint NOT NULL,
    ts_ns       bigint NOT NULL,
    UNIQUE (seq, leg)
);
CREATE TABLE posting (
    transfer_id        bigint NOT NULL REFERENCES transfer,
    ledger_account_id  bigint NOT NULL REFERENCES ledger_account,
    version            bigint NOT NULL CHECK (version > 0),
    amount_usd_micros  bigint NOT NULL CHECK (amount_usd_micros <> 0),
    balance_usd_micros bigint NOT NULL,
    PRIMARY KEY (ledger_account_id, version),
    UNIQUE (transfer_id, ledger_account_id)
);
CREATE TABLE balance (
    ledger_account_id  bigint PRIMARY KEY REFERENCES ledger_account,
    version            bigint NOT NULL CHECK (version > 0),
    balance_usd_micros bigint NOT NULL,
    updated_seq        bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO ledger_account (ledger_account_id, code)
VALUES (1, 'deposits:usd'), (2, 'settlement:usd');

GRANT SELECT, INSERT ON ledger_account, transfer, posting TO wellhead_app;
GRANT SELECT, INSERT, UPDATE ON balance TO wellhead_app;
