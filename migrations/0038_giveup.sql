-- Fills given up to another account, whole or in part: offered, accepted, moved by a command of the
-- journal at the price of the trade; and who said what when.
-- migrate:up
CREATE TABLE giveup (
    giveup_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    giver_idx    bigint NOT NULL,
    taker_idx    bigint NOT NULL CHECK (taker_idx <> giver_idx),
    client_key   text NOT NULL CHECK (length(client_key) BETWEEN 1 AND 64),
    seq          bigint NOT NULL,
    leg          bigint NOT NULL,
    side         bigint NOT NULL CHECK (side IN (0, 1)),
    contract_idx bigint NOT NULL,
    price_ticks  bigint NOT NULL,
    qty_lots     bigint NOT NULL CHECK (qty_lots > 0),
    expires_ns   bigint NOT NULL,
    status       text NOT NULL DEFAULT 'offered' CHECK (status IN (
        'offered', 'accepted', 'done', 'refused', 'declined', 'withdrawn', 'expired')),
    code         bigint,
    move_seq     bigint,
    created_ns   bigint NOT NULL,
    updated_ns   bigint NOT NULL,
    UNIQUE (giver_idx, client_key),
    CHECK ((status = 'done') = (move_seq IS NOT NULL)),
    CHECK ((status = 'refused') = (code IS NOT NULL))
);
COMMENT ON COLUMN giveup.side IS 'of the giver''s fill: 0 it bought, 1 it sold';
CREATE INDEX giveup_fill ON giveup (giver_idx, seq, leg, side);
CREATE INDEX giveup_taker ON giveup (taker_idx, giveup_id);
CREATE INDEX giveup_going ON giveup (giveup_id) WHERE status IN ('offered', 'accepted');

CREATE TABLE giveup_event (
    giveup_id bigint NOT NULL REFERENCES giveup,
    status    text NOT NULL,
    who       text NOT NULL,
    ts_ns     bigint NOT NULL,
    PRIMARY KEY (giveup_id, status)
);
COMMENT ON COLUMN giveup_event.who IS 'the key that asked, or the exchange';
GRANT SELECT, INSERT ON giveup, giveup_event TO wellhead_app;
GRANT UPDATE (status, code, move_seq, updated_ns) ON giveup TO wellhead_app;
REVOKE UPDATE, DELETE, TRUNCATE ON giveup_event FROM wellhead_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giveup_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE giveup_event ENABLE ALWAYS TRIGGER append_only;
