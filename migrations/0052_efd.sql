-- The exchange for delivery: sealed interest, one call a session, its result, and how each leg ended.
-- migrate:up
CREATE TABLE efd_session (
    session_id   text PRIMARY KEY CHECK (session_id ~ '^[A-Z0-9.-]{1,32}_[0-9]{8}T[0-9]{4}$'),
    symbol       text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 32),
    contract_idx bigint NOT NULL CHECK (contract_idx >= 0),
    opens_ns     bigint NOT NULL CHECK (opens_ns > 0),
    call_ns      bigint NOT NULL CHECK (call_ns > opens_ns),
    said_by      text NOT NULL CHECK (length(said_by) BETWEEN 1 AND 64)
);
CREATE INDEX efd_session_call ON efd_session (call_ns, session_id);

CREATE TABLE efd_entry (
    session_id  text NOT NULL REFERENCES efd_session,
    number      bigint NOT NULL CHECK (number > 0),
    account_idx bigint NOT NULL REFERENCES account,
    entry_key   text NOT NULL CHECK (entry_key ~ '^[A-Za-z0-9._:-]{1,40}$'),
    side        bigint NOT NULL CHECK (side IN (0, 1)),
    qty_lots    bigint NOT NULL CHECK (qty_lots >= 0),
    limit_ticks bigint NOT NULL,
    ts_ns       bigint NOT NULL CHECK (ts_ns > 0),
    digest      bytea NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (session_id, number)
);
COMMENT ON COLUMN efd_entry.qty_lots IS 'the newest of an account and key stands; 0 takes it back';
CREATE INDEX efd_entry_account ON efd_entry (account_idx, session_id);

CREATE TABLE efd_result (
    session_id text PRIMARY KEY REFERENCES efd_session,
    body       text NOT NULL CHECK (length(body) <= 16777216),
    digest     bytea NOT NULL CHECK (length(digest) = 32),
    ts_ns      bigint NOT NULL CHECK (ts_ns > 0)
);
COMMENT ON COLUMN efd_result.body IS 'all inputs and what follows from them, as JSON; digest is its SHA-256';

CREATE TABLE efd_leg (
    leg_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id  text NOT NULL REFERENCES efd_result,
    place       bigint NOT NULL CHECK (place >= 0),
    buyer_idx   bigint NOT NULL REFERENCES account,
    seller_idx  bigint NOT NULL REFERENCES account,
    receipt_id  text NOT NULL CHECK (receipt_id ~ '^cdr_[a-z2-7]{16}$'),
    contract_idx bigint NOT NULL,
    price_ticks bigint NOT NULL CHECK (price_ticks > 0),
    qty_lots    bigint NOT NULL CHECK (qty_lots > 0),
    UNIQUE (session_id, place),
    CHECK (buyer_idx <> seller_idx)
);
COMMENT ON COLUMN efd_leg.price_ticks IS 'the settlement price, at which the position moves';
CREATE INDEX efd_leg_receipt ON efd_leg (receipt_id);

CREATE TABLE efd_leg_end (
    leg_id  bigint PRIMARY KEY REFERENCES efd_leg,
    outcome text NOT NULL CHECK (outcome IN ('exchanged', 'refused', 'unpaid')),
    code    bigint,
    seq     bigint,
    ts_ns   bigint NOT NULL CHECK (ts_ns > 0),
    CHECK ((outcome = 'exchanged') = (seq IS NOT NULL)),
    CHECK ((outcome = 'refused') = (code IS NOT NULL))
);
COMMENT ON COLUMN efd_leg_end.seq IS 'the command that moved the position';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['efd_session', 'efd_entry', 'efd_result', 'efd_leg', 'efd_leg_end']
    LOOP
        EXECUTE format('GRANT SELECT, INSERT ON %I TO wellhead_app', name);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM wellhead_app', name);
    END LOOP;
END $$;
