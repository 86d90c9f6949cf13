-- Liquidation and default: what the journal says of them, row by row; proofs; margin calls.
-- migrate:up
-- What is stored held the narrower constraints: nothing of it is looked at again.
-- squawk-ignore ban-drop-constraint
ALTER TABLE trade DROP CONSTRAINT trade_block_check;
ALTER TABLE trade ADD CONSTRAINT trade_block_check CHECK (block IN (0, 1, 2, 3)) NOT VALID;
COMMENT ON COLUMN trade.block IS
    '0: of a book, 1: a block, 2: an exchange for physical, 3: moved by the clearing house';
-- squawk-ignore ban-drop-constraint
ALTER TABLE transfer DROP CONSTRAINT transfer_reason_check;
ALTER TABLE transfer ADD CONSTRAINT transfer_reason_check CHECK (
    reason IN ('deposit', 'withdrawal', 'variation_collect', 'variation_pay', 'move')
) NOT VALID;

CREATE TABLE liquidation_event (
    seq                    bigint PRIMARY KEY CHECK (seq > 0),
    liquidation_id         bigint NOT NULL CHECK (liquidation_id BETWEEN 1 AND seq),
    account_idx            bigint NOT NULL,
    step                   bigint NOT NULL CHECK (step IN (1, 2)),
    equity_usd_micros      bigint NOT NULL,
    initial_usd_micros     bigint NOT NULL,
    maintenance_usd_micros bigint NOT NULL,
    state_before           bigint NOT NULL,
    ts_ns                  bigint NOT NULL
);
COMMENT ON COLUMN liquidation_event.step IS '1: begins, its seq is the id of the liquidation; 2: ends';
CREATE INDEX liquidation_event_id ON liquidation_event (liquidation_id, seq);
CREATE TABLE position_move (
    seq            bigint PRIMARY KEY CHECK (seq > 0),
    liquidation_id bigint NOT NULL,
    reason         bigint NOT NULL,
    contract_idx   bigint NOT NULL,
    giver_idx      bigint NOT NULL,
    receiver_idx   bigint NOT NULL,
    side           bigint NOT NULL,
    price_ticks    bigint NOT NULL,
    qty_lots       bigint NOT NULL CHECK (qty_lots > 0),
    ts_ns          bigint NOT NULL
);
COMMENT ON COLUMN position_move.reason IS
    '0: porting, 1: give-up, 2: take-over, 3: deleveraging, 4: auction';
CREATE INDEX position_move_liquidation ON position_move (liquidation_id, seq);
CREATE TABLE waterfall_use (
    seq               bigint PRIMARY KEY CHECK (seq > 0),
    liquidation_id    bigint NOT NULL,
    layer             bigint NOT NULL CHECK (layer BETWEEN 0 AND 8),
    giver_idx         bigint NOT NULL,
    receiver_idx      bigint NOT NULL,
    amount_usd_micros bigint NOT NULL CHECK (amount_usd_micros > 0),
    ts_ns             bigint NOT NULL
);
CREATE INDEX waterfall_use_liquidation ON waterfall_use (liquidation_id, seq);
CREATE TABLE adl_proof (
    liquidation_id bigint NOT NULL,
    round_no       bigint NOT NULL,
    contract_idx   bigint NOT NULL,
    state_seq      bigint NOT NULL,
    digest         text NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (liquidation_id, round_no)
);
CREATE TABLE margin_call (
    call_id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx       bigint NOT NULL,
    amount_usd_micros bigint NOT NULL CHECK (amount_usd_micros > 0),
    met_usd_micros    bigint NOT NULL DEFAULT 0,
    issued_ns         bigint NOT NULL,
    due_ns            bigint NOT NULL,
    state             text NOT NULL CHECK (state IN (
        'issued', 'acknowledged', 'part_met', 'met', 'breached', 'cured', 'escalated')),
    reminders         bigint NOT NULL DEFAULT 0,
    updated_ns        bigint NOT NULL
);
-- An account has one call open at a time.
CREATE UNIQUE INDEX margin_call_open ON margin_call (account_idx)
    WHERE state NOT IN ('met', 'cured', 'escalated');

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['liquidation_event', 'position_move', 'waterfall_use', 'adl_proof']
    LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO wellhead_app', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM wellhead_app', name);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE ON margin_call TO wellhead_app;
