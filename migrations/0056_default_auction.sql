-- The sealed-bid auction of what liquidation could not close: announced, bid for, decided, moved.
-- migrate:up
CREATE TABLE default_auction (
    liquidation_id bigint PRIMARY KEY CHECK (liquidation_id > 0),
    account_idx    bigint NOT NULL,
    opened_seq     bigint NOT NULL,
    opened_ns      bigint NOT NULL,
    closes_ns      bigint NOT NULL CHECK (closes_ns > opened_ns),
    lots           jsonb NOT NULL,
    bidders        bigint[] NOT NULL,
    status         text NOT NULL DEFAULT 'open' CHECK (status IN (
        'open', 'closing', 'closed', 'done', 'lapsed', 'withdrawn')),
    updated_ns     bigint NOT NULL
);
COMMENT ON COLUMN default_auction.status IS 'closing: no bid is taken any more; closed: decided;
done: its lots were moved as far as the core took them; lapsed: too late to move the rest';
CREATE INDEX default_auction_going ON default_auction (liquidation_id)
    WHERE status IN ('open', 'closing', 'closed');

CREATE TABLE default_bid (
    bid_id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    liquidation_id bigint NOT NULL REFERENCES default_auction,
    lot_no         bigint NOT NULL CHECK (lot_no > 0),
    account_idx    bigint NOT NULL,
    client_key     text NOT NULL CHECK (length(client_key) BETWEEN 1 AND 64),
    premium_ticks  bigint NOT NULL,
    share_bps      bigint NOT NULL CHECK (share_bps BETWEEN 0 AND 10000),
    who            text NOT NULL,
    ts_ns          bigint NOT NULL,
    UNIQUE (liquidation_id, account_idx, client_key, lot_no)
);
COMMENT ON TABLE default_bid IS 'the last of an account and lot counts; a share of zero passes';

CREATE TABLE default_auction_result (
    liquidation_id bigint PRIMARY KEY REFERENCES default_auction,
    state_seq      bigint NOT NULL,
    closed_ns      bigint NOT NULL,
    digest         text NOT NULL,
    body           jsonb NOT NULL,
    juniors        bigint[] NOT NULL
);
CREATE TABLE default_award (
    liquidation_id bigint NOT NULL REFERENCES default_auction_result,
    place          bigint NOT NULL CHECK (place > 0),
    lot_no         bigint NOT NULL,
    account_idx    bigint NOT NULL,
    contract_idx   bigint NOT NULL,
    qty_lots       bigint NOT NULL CHECK (qty_lots <> 0),
    price_ticks    bigint NOT NULL CHECK (price_ticks > 0),
    PRIMARY KEY (liquidation_id, place),
    UNIQUE (liquidation_id, account_idx, contract_idx)
);
COMMENT ON COLUMN default_award.qty_lots IS 'signed, as the defaulter held them';

CREATE TABLE auction_admission (
    admission_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx  bigint NOT NULL,
    admitted     boolean NOT NULL,
    who          text NOT NULL,
    ts_ns        bigint NOT NULL
);
COMMENT ON TABLE auction_admission IS 'who may bid beyond the members, or not; the last row counts';
CREATE INDEX auction_admission_account ON auction_admission (account_idx, admission_id);

-- No bid after the close, and none of who was not asked, whatever a program does.
CREATE FUNCTION default_bid_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM default_auction
    WHERE liquidation_id = NEW.liquidation_id AND status = 'open'
        AND NEW.account_idx = ANY (bidders) AND NEW.ts_ns < closes_ns
    FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the auction takes no bid of this account now';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER default_bid_sealed BEFORE INSERT ON default_bid
    FOR EACH ROW EXECUTE FUNCTION default_bid_sealed();
ALTER TABLE default_bid ENABLE ALWAYS TRIGGER default_bid_sealed;

CREATE FUNCTION tell_default_auction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wellhead_default_auction', NEW.liquidation_id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER default_auction_told AFTER INSERT OR UPDATE ON default_auction
    FOR EACH ROW EXECUTE FUNCTION tell_default_auction();

-- Lots that moved by an auction's award, as clearing wrote them, beside the awards that were kept.
CREATE VIEW violation_auction AS
SELECT 'auctioned lots are those of an award' AS rule, 'seq ' || m.seq AS place,
    coalesce(a.qty_lots, 0)::numeric AS expected,
    (m.qty_lots * (CASE m.side WHEN 1 THEN 1 ELSE -1 END))::numeric AS found
FROM position_move AS m LEFT JOIN default_award AS a
    ON a.liquidation_id = m.liquidation_id AND a.account_idx = m.receiver_idx
    AND a.contract_idx = m.contract_idx AND a.price_ticks = m.price_ticks
WHERE m.reason = 4 AND a.qty_lots IS DISTINCT FROM
    m.qty_lots * (CASE m.side WHEN 1 THEN 1 ELSE -1 END)
    AND EXISTS (SELECT 1 FROM liquidation_event AS e WHERE e.liquidation_id = m.liquidation_id)
UNION ALL
SELECT 'an award is moved once',
    'liquidation ' || liquidation_id || ' account ' || receiver_idx,
    1, count(*)
FROM position_move JOIN default_award USING (liquidation_id)
WHERE reason = 4 AND receiver_idx = account_idx
    AND position_move.contract_idx = default_award.contract_idx
GROUP BY liquidation_id, receiver_idx, default_award.contract_idx HAVING count(*) > 1;
GRANT SELECT ON violation_auction TO wellhead_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['default_bid', 'default_auction_result', 'default_award',
        'auction_admission']
    LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO wellhead_app', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM wellhead_app', name);
    END LOOP;
END $$;
GRANT SELECT, INSERT ON default_auction TO wellhead_app;
GRANT UPDATE (status, updated_ns) ON default_auction TO wellhead_app;
REVOKE DELETE, TRUNCATE ON default_auction FROM wellhead_app;
