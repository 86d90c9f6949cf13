-- Every accepted order with its last known state; order_id rises with the seq it was accepted at.
-- migrate:up
CREATE TABLE order_history (
    account_idx      bigint NOT NULL,
    order_id         bigint NOT NULL CHECK (order_id > 0),
    contract_idx     bigint NOT NULL,
    side             bigint NOT NULL CHECK (side IN (0, 1)),
    order_type       bigint NOT NULL,
    tif              bigint NOT NULL,
    stp              bigint NOT NULL,
    flags            bigint NOT NULL,
    price_ticks      bigint NOT NULL,
    qty_lots         bigint NOT NULL,
    open_lots        bigint NOT NULL CHECK (open_lots >= 0),
    filled_lots      bigint NOT NULL CHECK (filled_lots >= 0),
    filled_tick_lots bigint NOT NULL,
    cancelled_lots   bigint NOT NULL CHECK (cancelled_lots >= 0),
    code             bigint NOT NULL,
    client_order_id  text,
    expires_ns       bigint NOT NULL,
    placed_ns        bigint NOT NULL,
    updated_ns       bigint NOT NULL,
    updated_seq      bigint NOT NULL,
    PRIMARY KEY (account_idx, order_id),
    CHECK (filled_lots + open_lots <= qty_lots)
) WITH (fillfactor = 70);
CREATE INDEX order_history_client ON order_history (account_idx, client_order_id, order_id)
    WHERE client_order_id IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON order_history TO wellhead_app;
