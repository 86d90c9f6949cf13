-- Listed contracts as clearing sees them after follower.last_seq.
-- migrate:up
CREATE TABLE contract (
    contract_idx          bigint PRIMARY KEY CHECK (contract_idx >= 0),
    symbol                text NOT NULL,
    tick_value_usd_micros bigint NOT NULL CHECK (tick_value_usd_micros > 0),
    listed_seq            bigint NOT NULL,
    listed_ns             bigint NOT NULL,
    ends_ns               bigint NOT NULL,
    state                 bigint NOT NULL,
    mark_ticks            bigint NOT NULL,
    settle_ticks          bigint NOT NULL,
    last_trade_ticks      bigint NOT NULL,
    volume_lots           bigint NOT NULL CHECK (volume_lots >= 0),
    open_interest_lots    bigint NOT NULL CHECK (open_interest_lots >= 0),
    updated_seq           bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX contract_symbol ON contract (symbol, contract_idx);
GRANT SELECT, INSERT, UPDATE ON contract TO wellhead_app;

INSERT INTO follower (name, last_seq) VALUES ('clearing', 0) ON CONFLICT DO NOTHING;
