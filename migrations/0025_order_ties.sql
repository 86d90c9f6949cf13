-- What an order waits for or has waited for, and what it is tied to; of the stops before, nothing is known.
-- migrate:up
ALTER TABLE order_history
    ADD COLUMN trigger_ticks bigint NOT NULL DEFAULT 0 CHECK (trigger_ticks >= 0),
    ADD COLUMN trigger_bits  bigint NOT NULL DEFAULT 0,
    ADD COLUMN link_id       bigint NOT NULL DEFAULT 0,
    ADD COLUMN parent_id     bigint NOT NULL DEFAULT 0;
