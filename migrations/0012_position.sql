-- What each account holds after follower.last_seq.
-- entry: signed cost of the open lots; carry: what they were last paid up to (settlement_check.py).
-- migrate:up
CREATE TABLE position (
    account_idx         bigint NOT NULL,
    contract_idx        bigint NOT NULL,
    qty_lots            bigint NOT NULL,
    entry_usd_micros    bigint NOT NULL,
    realised_usd_micros bigint NOT NULL,
    carry_usd_micros    bigint NOT NULL,
    updated_seq         bigint NOT NULL,
    PRIMARY KEY (account_idx, contract_idx),
    CHECK (qty_lots <> 0 OR entry_usd_micros = 0)
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE ON position TO wellhead_app;
