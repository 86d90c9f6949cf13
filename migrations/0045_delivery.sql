-- Physical delivery: issuers, receipts as a chain of events, telemetry, roots; nothing is changed.
-- migrate:up
CREATE TABLE cdr_issuer (
    issuer_idx       bigint PRIMARY KEY REFERENCES account,
    public_key       bytea NOT NULL UNIQUE CHECK (length(public_key) = 32),
    audit            text NOT NULL CHECK (length(audit) BETWEEN 1 AND 2000),
    acceptance       text NOT NULL CHECK (length(acceptance) BETWEEN 1 AND 2000),
    acceptance_hours bigint NOT NULL CHECK (acceptance_hours BETWEEN 48 AND 8784),
    admitted_by      text NOT NULL CHECK (length(admitted_by) BETWEEN 1 AND 64),
    admitted_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN cdr_issuer.acceptance IS 'what the test of at least 48 hours found';
CREATE TABLE cdr_issuer_end (
    issuer_idx bigint PRIMARY KEY REFERENCES cdr_issuer,
    reason     text NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
    ended_by   text NOT NULL CHECK (length(ended_by) BETWEEN 1 AND 64),
    ended_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE cdr_payment (
    payment_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    receipt_id        text NOT NULL CHECK (receipt_id ~ '^cdr_[a-z2-7]{16}$'),
    purpose           text NOT NULL CHECK (purpose ~ '^[a-z-]{1,16}$'),
    place             bigint NOT NULL CHECK (place >= 0),
    from_idx          bigint NOT NULL REFERENCES account,
    to_idx            bigint NOT NULL REFERENCES account,
    amount_usd_micros bigint NOT NULL CHECK (amount_usd_micros > 0),
    transfer_id       bigint NOT NULL UNIQUE REFERENCES transfer_request,
    UNIQUE (receipt_id, purpose, place)
);
COMMENT ON TABLE cdr_payment IS 'cash that a receipt moves; its transfer is written in the same step';

CREATE TABLE cdr_event (
    number     bigint PRIMARY KEY CHECK (number > 0),
    receipt_id text NOT NULL CHECK (receipt_id ~ '^cdr_[a-z2-7]{16}$'),
    kind       text NOT NULL CHECK (kind ~ '^[a-z_]{1,16}$'),
    ts_ns      bigint NOT NULL CHECK (ts_ns > 0),
    note       text NOT NULL CHECK (length(note) <= 200),
    body       text NOT NULL CHECK (length(body) <= 16384),
    digest     bytea NOT NULL CHECK (length(digest) = 32),
    payment_id bigint REFERENCES cdr_payment
);
COMMENT ON COLUMN cdr_event.body IS 'the receipt after it, as JSON';
COMMENT ON COLUMN cdr_event.payment_id IS 'the payment that it answers: each is answered once';
CREATE INDEX cdr_event_receipt ON cdr_event (receipt_id, number);
CREATE UNIQUE INDEX cdr_event_payment ON cdr_event (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX cdr_event_ts ON cdr_event (ts_ns, number);

-- Where a receipt stands: nothing that the events do not say, so that lists are quick.
CREATE TABLE cdr_receipt (
    receipt_id  text PRIMARY KEY,
    number      bigint NOT NULL REFERENCES cdr_event,
    status      text NOT NULL,
    issuer_idx  bigint NOT NULL,
    holder_idx  bigint NOT NULL,
    pledgee_idx bigint NOT NULL,
    buyer_idx   bigint NOT NULL,
    open_offer  boolean NOT NULL,
    sku         text NOT NULL,
    hub         text NOT NULL,
    start_hour  bigint NOT NULL,
    end_hour    bigint NOT NULL,
    next_hour   bigint NOT NULL
);
COMMENT ON COLUMN cdr_receipt.next_hour IS 'since 1970: the hour whose end is looked at next';
CREATE INDEX cdr_receipt_holder ON cdr_receipt (holder_idx, number);
CREATE INDEX cdr_receipt_issuer ON cdr_receipt (issuer_idx, number);
CREATE INDEX cdr_receipt_due ON cdr_receipt (next_hour)
    WHERE status IN ('active', 'pledged', 'offered', 'redeemed');
GRANT SELECT, INSERT, UPDATE ON cdr_receipt TO wellhead_app;

CREATE TABLE cdr_telemetry (
    issuer_idx      bigint NOT NULL REFERENCES cdr_issuer,
    node            text NOT NULL CHECK (length(node) BETWEEN 1 AND 40),
    hour            bigint NOT NULL CHECK (hour > 0),
    counter         bigint NOT NULL CHECK (counter > 0),
    uptime_s        bigint NOT NULL CHECK (uptime_s BETWEEN 0 AND 3600),
    load_factor_bps bigint NOT NULL CHECK (load_factor_bps BETWEEN 0 AND 10000),
    gpu_hours_milli bigint NOT NULL CHECK (gpu_hours_milli >= 0),
    kwh_milli       bigint NOT NULL CHECK (kwh_milli >= 0),
    signature       bytea NOT NULL CHECK (length(signature) = 64),
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer_idx, node, hour),
    UNIQUE (issuer_idx, node, counter)
);
CREATE TABLE cdr_quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issuer_idx    bigint NOT NULL REFERENCES cdr_issuer,
    reason        text NOT NULL CHECK (reason ~ '^[a-z_]{1,40}$'),
    raw           text NOT NULL CHECK (length(raw) <= 2000),
    digest        bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
    recorded_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX cdr_quarantine_issuer ON cdr_quarantine (issuer_idx, recorded_at);

CREATE TABLE cdr_curtailment (
    curtailment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hub            text NOT NULL CHECK (length(hub) BETWEEN 1 AND 8),
    start_hour     bigint NOT NULL CHECK (start_hour > 0),
    end_hour       bigint NOT NULL CHECK (end_hour > start_hour),
    reference      text NOT NULL UNIQUE CHECK (length(reference) BETWEEN 1 AND 128),
    said_by        text NOT NULL CHECK (length(said_by) BETWEEN 1 AND 64),
    recorded_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN cdr_curtailment.reference IS 'the order of the grid operator';

CREATE TABLE cdr_root (
    day          bigint PRIMARY KEY CHECK (day > 0),
    first_number bigint NOT NULL UNIQUE CHECK (first_number > 0),
    last_number  bigint NOT NULL UNIQUE CHECK (last_number >= first_number),
    root         bytea NOT NULL CHECK (length(root) = 32),
    before       bytea NOT NULL CHECK (length(before) = 32),
    public_key   bytea NOT NULL CHECK (length(public_key) = 32),
    signature    bytea NOT NULL CHECK (length(signature) = 64),
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION check_cdr_chained() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong bigint;
BEGIN
    SELECT this.number INTO wrong
    FROM added AS this
    LEFT JOIN cdr_event AS before ON before.number = this.number - 1
    WHERE (before.number IS NULL AND this.number > 1)
        OR this.ts_ns < before.ts_ns
        OR this.digest <> sha256(
            coalesce(before.digest, decode(repeat('00', 32), 'hex'))
            || convert_to(concat_ws(E'\n', 'wellhead cdr event 1', this.number, this.receipt_id,
                this.kind, this.ts_ns, this.note, this.body, ''), 'UTF8'))
    ORDER BY this.number LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'receipt event % does not continue the chain', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cdr_chained AFTER INSERT ON cdr_event REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION check_cdr_chained();
ALTER TABLE cdr_event ENABLE ALWAYS TRIGGER cdr_chained;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['cdr_issuer', 'cdr_issuer_end', 'cdr_payment', 'cdr_event',
        'cdr_telemetry', 'cdr_quarantine', 'cdr_curtailment', 'cdr_root']
    LOOP
        EXECUTE format('GRANT SELECT, INSERT ON %I TO wellhead_app', name);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM wellhead_app', name);
    END LOOP;
END $$;
