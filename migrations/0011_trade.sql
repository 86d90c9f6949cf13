-- Every match, and after novation its two sides against the clearing house.
-- (seq, leg) is a trade's identity: the command that caused it, and which of its trades.
-- migrate:up
CREATE TABLE trade (
    seq               bigint NOT NULL CHECK (seq > 0),
    leg               bigint NOT NULL CHECK (leg >= 0),
    contract_idx      bigint NOT NULL,
    price_ticks       bigint NOT NULL CHECK (price_ticks > 0),
    qty_lots          bigint NOT NULL CHECK (qty_lots > 0),
    taker_side        bigint NOT NULL CHECK (taker_side IN (0, 1)),
    taker_account_idx bigint NOT NULL,
    maker_account_idx bigint NOT NULL,
    taker_order_id    bigint NOT NULL,
    maker_order_id    bigint NOT NULL,
    ts_ns             bigint NOT NULL,
    PRIMARY KEY (seq, leg)
);
CREATE INDEX trade_contract ON trade (contract_idx, seq, leg);

-- The key begins with the account: one index holds uniqueness and serves the account's fills.
CREATE TABLE position_event (
    account_idx         bigint NOT NULL,
    seq                 bigint NOT NULL CHECK (seq > 0),
    leg                 bigint NOT NULL CHECK (leg >= 0),
    side                bigint NOT NULL CHECK (side IN (0, 1)),
    is_maker            boolean NOT NULL,
    contract_idx        bigint NOT NULL,
    order_id            bigint NOT NULL,
    price_ticks         bigint NOT NULL CHECK (price_ticks > 0),
    qty_lots            bigint NOT NULL CHECK ((qty_lots > 0) = (side = 0) AND qty_lots <> 0),
    position_lots       bigint NOT NULL,
    realised_usd_micros bigint NOT NULL,
    ts_ns               bigint NOT NULL,
    PRIMARY KEY (account_idx, seq, leg, side)
);
GRANT SELECT, INSERT ON trade, position_event TO wellhead_app;
