-- Settlement prices with what they were reached from, and what each account gained or lost by them.
-- migrate:up
CREATE TABLE settlement (
    contract_idx       bigint NOT NULL,
    seq                bigint NOT NULL CHECK (seq > 0),
    settled_ns         bigint NOT NULL,
    price_ticks        bigint NOT NULL CHECK (price_ticks > 0),
    previous_ticks     bigint NOT NULL CHECK (previous_ticks > 0),
    last_trade_ticks   bigint NOT NULL,
    volume_lots        bigint NOT NULL CHECK (volume_lots >= 0),
    open_interest_lots bigint NOT NULL CHECK (open_interest_lots >= 0),
    paid_usd_micros    bigint NOT NULL CHECK (paid_usd_micros >= 0),
    PRIMARY KEY (contract_idx, seq)
);
CREATE INDEX settlement_seq ON settlement (seq);

-- One row an account and settlement; the ledger has them netted per batch and account.
CREATE TABLE variation (
    account_idx       bigint NOT NULL,
    seq               bigint NOT NULL CHECK (seq > 0),
    contract_idx      bigint NOT NULL,
    qty_lots          bigint NOT NULL,
    price_ticks       bigint NOT NULL CHECK (price_ticks > 0),
    amount_usd_micros bigint NOT NULL CHECK (amount_usd_micros <> 0),
    ts_ns             bigint NOT NULL,
    PRIMARY KEY (account_idx, seq)
);
CREATE INDEX variation_seq ON variation (seq);
GRANT SELECT, INSERT ON settlement, variation TO wellhead_app;
