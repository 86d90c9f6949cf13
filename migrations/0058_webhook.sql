-- Webhooks: who is told what over HTTPS; what waits to be told and what was; and notes, which
-- triggers write in the transaction of what happened. The last are gone once deliveries are made.
-- migrate:up
CREATE TABLE webhook (
    webhook_id   text PRIMARY KEY CHECK (webhook_id ~ '^wh_[a-z2-7]{16}$'),
    account_idx  bigint NOT NULL REFERENCES account,
    url          text NOT NULL CHECK (length(url) BETWEEN 1 AND 2100),
    events       text[] NOT NULL CHECK (cardinality(events) > 0),
    label        text NOT NULL CHECK (length(label) <= 64),
    secret       bytea NOT NULL,
    old_secret   bytea,
    rotated_ns   bigint,
    status       text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'parked', 'removed')),
    why          text NOT NULL DEFAULT '' CHECK (length(why) <= 200),
    failures     bigint NOT NULL DEFAULT 0 CHECK (failures >= 0),
    retry_ns     bigint NOT NULL DEFAULT 0,
    tried_ns     bigint NOT NULL DEFAULT 0,
    dropped      bigint NOT NULL DEFAULT 0 CHECK (dropped >= 0),
    from_seq     bigint NOT NULL,
    created_by   text NOT NULL CHECK (length(created_by) <= 64),
    created_ns   bigint NOT NULL
);
COMMENT ON COLUMN webhook.secret IS 'encrypted; old_secret signs as well for a day after rotated_ns';
COMMENT ON COLUMN webhook.dropped IS 'deliveries that were left out: too many waited';
COMMENT ON COLUMN webhook.from_seq IS 'of what the journal says nothing before is told';
CREATE INDEX webhook_account ON webhook (account_idx) WHERE status <> 'removed';

CREATE TABLE webhook_delivery (
    delivery_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id   text NOT NULL REFERENCES webhook,
    event        text NOT NULL CHECK (event ~ '^[a-z_]{1,32}$'),
    data         text NOT NULL,
    status       text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered')),
    attempts     bigint NOT NULL DEFAULT 0,
    http_status  bigint,
    latency_ms   bigint,
    error        text NOT NULL DEFAULT '' CHECK (length(error) <= 200),
    created_ns   bigint NOT NULL,
    tried_ns     bigint
);
COMMENT ON COLUMN webhook_delivery.http_status IS 'of the last attempt, as are latency and error';
CREATE INDEX webhook_delivery_hook ON webhook_delivery (webhook_id, delivery_id);
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (webhook_id, delivery_id)
    WHERE status = 'waiting';
CREATE INDEX webhook_delivery_old ON webhook_delivery (tried_ns) WHERE status = 'delivered';

CREATE TABLE webhook_note (
    note_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event       text NOT NULL,
    account_idx bigint,
    body        jsonb NOT NULL
);
COMMENT ON COLUMN webhook_note.account_idx IS 'null: for operators';
GRANT SELECT, INSERT, UPDATE ON webhook TO wellhead_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_delivery, webhook_note TO wellhead_app;
INSERT INTO follower (name, last_seq) SELECT 'webhooks', last_seq FROM follower
WHERE name = 'clearing';

CREATE FUNCTION webhook_wanted(whose bigint, what text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM webhook WHERE status <> 'removed' AND what = ANY (events)
        AND (whose IS NULL OR account_idx = whose))
$$;

CREATE FUNCTION note_margin_call() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    event text := NEW.state;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.state, NEW.reminders, NEW.met_usd_micros)
            = (OLD.state, OLD.reminders, OLD.met_usd_micros) THEN
            RETURN NULL;
        END IF;
        IF NEW.state = OLD.state AND NEW.reminders > OLD.reminders THEN
            event := 'reminder';
        END IF;
    END IF;
    INSERT INTO webhook_note (event, account_idx, body)
    SELECT 'margin_call', NEW.account_idx, to_jsonb(NEW) || jsonb_build_object('event', event)
    WHERE webhook_wanted(NEW.account_idx, 'margin_call');
    RETURN NULL;
END $$;
CREATE TRIGGER webhook_noted AFTER INSERT OR UPDATE ON margin_call
    FOR EACH ROW EXECUTE FUNCTION note_margin_call();

CREATE FUNCTION note_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    what text := CASE WHEN NEW.amount_usd_micros > 0 THEN 'deposit' ELSE 'withdrawal' END;
BEGIN
    INSERT INTO webhook_note (event, account_idx, body)
    SELECT what, NEW.account_idx, to_jsonb(NEW)
    WHERE NEW.status <> 'sent' AND webhook_wanted(NEW.account_idx, what);
    RETURN NULL;
END $$;
CREATE TRIGGER webhook_noted AFTER INSERT OR UPDATE OF status ON transfer_request
    FOR EACH ROW EXECUTE FUNCTION note_transfer();

CREATE FUNCTION note_asset_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    what text := CASE WHEN NEW.move = 1 THEN 'deposit' ELSE 'withdrawal' END;
BEGIN
    INSERT INTO webhook_note (event, account_idx, body)
    SELECT what, NEW.account_idx, to_jsonb(NEW)
    WHERE NEW.status <> 'sent' AND webhook_wanted(NEW.account_idx, what);
    RETURN NULL;
END $$;
CREATE TRIGGER webhook_noted AFTER INSERT OR UPDATE OF status ON asset_request
    FOR EACH ROW EXECUTE FUNCTION note_asset_move();

CREATE FUNCTION note_giveup() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO webhook_note (event, account_idx, body)
    SELECT 'giveup', side.idx, to_jsonb(g) || to_jsonb(NEW) || jsonb_build_object(
        'role', side.role, 'symbol', c.symbol, 'giver_id', giver.account_id,
        'taker_id', taker.account_id)
    FROM giveup AS g
    JOIN contract AS c USING (contract_idx)
    JOIN account AS giver ON giver.account_idx = g.giver_idx
    JOIN account AS taker ON taker.account_idx = g.taker_idx
    CROSS JOIN LATERAL (VALUES (g.giver_idx, 'giver'), (g.taker_idx, 'taker')) AS side (idx, role)
    WHERE g.giveup_id = NEW.giveup_id AND webhook_wanted(side.idx, 'giveup');
    RETURN NULL;
END $$;
CREATE TRIGGER webhook_noted AFTER INSERT ON giveup_event
    FOR EACH ROW EXECUTE FUNCTION note_giveup();

CREATE FUNCTION note_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    receipt jsonb := NEW.body::jsonb;
BEGIN
    INSERT INTO webhook_note (event, account_idx, body)
    SELECT DISTINCT 'delivery', idx, jsonb_build_object('receipt_id', NEW.receipt_id,
        'number', NEW.number, 'kind', NEW.kind, 'note', NEW.note, 'ts_ns', NEW.ts_ns,
        'status', receipt ->> 'status')
    FROM unnest(ARRAY[(receipt ->> 'issuer_idx')::bigint, (receipt ->> 'holder_idx')::bigint,
        (receipt ->> 'pledgee_idx')::bigint, (receipt ->> 'buyer_idx')::bigint]) AS idx
    WHERE webhook_wanted(idx, 'delivery') AND idx IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER webhook_noted AFTER INSERT ON cdr_event
    FOR EACH ROW EXECUTE FUNCTION note_receipt();

CREATE FUNCTION note_alert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO webhook_note (event, account_idx, body)
    SELECT 'alert', NULL, to_jsonb(NEW) || jsonb_build_object('symbol',
        (SELECT symbol FROM contract WHERE contract_idx = NEW.contract_idx))
    WHERE webhook_wanted(NULL, 'alert');
    RETURN NULL;
END $$;
CREATE TRIGGER webhook_noted AFTER INSERT ON alert
    FOR EACH ROW EXECUTE FUNCTION note_alert();
