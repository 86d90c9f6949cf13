-- What an order shows at a time, and what it follows; none of the orders before had either.
-- migrate:up
ALTER TABLE order_history
    ADD COLUMN display_lots bigint NOT NULL DEFAULT 0 CHECK (display_lots >= 0),
    ADD COLUMN peg          bigint NOT NULL DEFAULT 0,
    ADD COLUMN offset_ticks bigint NOT NULL DEFAULT 0;
