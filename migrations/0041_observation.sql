-- What GPU-hours are offered at: a hash-chained table that nobody changes, and what was not taken.
-- migrate:up
CREATE TABLE observation_provider (
    key_id     text PRIMARY KEY CHECK (key_id ~ '^wp_[a-z2-7]{16}$'),
    provider   text NOT NULL CHECK (length(provider) BETWEEN 1 AND 64),
    public_key bytea NOT NULL UNIQUE CHECK (length(public_key) = 32),
    licence    text NOT NULL CHECK (length(licence) BETWEEN 1 AND 64),
    added_by   text NOT NULL CHECK (length(added_by) BETWEEN 1 AND 64),
    added_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE observation_provider IS 'keys that providers sign their own prices with';
CREATE TABLE observation_provider_end (
    key_id   text PRIMARY KEY REFERENCES observation_provider,
    ended_by text NOT NULL CHECK (length(ended_by) BETWEEN 1 AND 64),
    ended_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE observation (
    number           bigint PRIMARY KEY CHECK (number > 0),
    provider         text NOT NULL CHECK (length(provider) BETWEEN 1 AND 64),
    region           text NOT NULL CHECK (length(region) <= 64),
    sku              text NOT NULL CHECK (length(sku) BETWEEN 1 AND 64),
    hub              text NOT NULL CHECK (length(hub) <= 8),
    grade            text NOT NULL CHECK (length(grade) BETWEEN 1 AND 8),
    size_gpus        bigint NOT NULL CHECK (size_gpus BETWEEN 1 AND 1000000),
    price_usd_micros bigint NOT NULL CHECK (price_usd_micros BETWEEN 1 AND 100000000),
    kind             text NOT NULL
        CHECK (kind IN ('trade', 'offer', 'spot', 'rate_card', 'reserved')),
    ts_ns            bigint NOT NULL CHECK (ts_ns > 0),
    source           text NOT NULL CHECK (length(source) BETWEEN 1 AND 64),
    licence          text NOT NULL CHECK (length(licence) BETWEEN 1 AND 64),
    digest           bytea NOT NULL CHECK (length(digest) = 32),
    term_months      bigint NOT NULL CHECK (term_months BETWEEN 0 AND 120),
    instance         text NOT NULL CHECK (length(instance) <= 64),
    CHECK ((kind = 'reserved') = (term_months > 0)),
    -- One offer has one price at one moment.
    UNIQUE (ts_ns, source, provider, region, sku, grade, size_gpus, kind, term_months, instance)
);

CREATE TABLE observation_batch (
    batch_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    via               text NOT NULL
        CHECK (via IN ('shipped', 'file', 'fetch', 'submission', 'registry')),
    name              text NOT NULL CHECK (length(name) <= 200),
    key_id            text REFERENCES observation_provider,
    message           bytea CHECK (length(message) <= 65536),
    signature         bytea CHECK (length(signature) = 64),
    first_number      bigint NOT NULL CHECK (first_number > 0),
    accepted_count    bigint NOT NULL CHECK (accepted_count >= 0),
    duplicate_count   bigint NOT NULL CHECK (duplicate_count >= 0),
    quarantined_count bigint NOT NULL CHECK (quarantined_count >= 0),
    recorded_at       timestamptz NOT NULL DEFAULT now(),
    CHECK ((via = 'submission') = (key_id IS NOT NULL)),
    CHECK ((key_id IS NULL) = (message IS NULL) AND (key_id IS NULL) = (signature IS NULL)),
    UNIQUE (signature)
);
COMMENT ON COLUMN observation_batch.first_number IS
    'its rows are the accepted_count ones from here; written in the transaction that wrote them';
COMMENT ON COLUMN observation_batch.message IS 'what the provider signed, byte for byte';
CREATE INDEX observation_batch_key ON observation_batch (key_id, recorded_at);

CREATE TABLE observation_quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id      bigint NOT NULL REFERENCES observation_batch,
    source        text NOT NULL CHECK (length(source) <= 64),
    reason        text NOT NULL CHECK (reason ~ '^[a-z_]{1,40}$'),
    detail        text NOT NULL CHECK (length(detail) <= 200),
    raw           text NOT NULL CHECK (length(raw) <= 16384),
    digest        bytea NOT NULL UNIQUE CHECK (length(digest) = 32)
);
COMMENT ON COLUMN observation_quarantine.raw IS 'the row as it came, as JSON';
COMMENT ON COLUMN observation_quarantine.digest IS 'of source, reason and raw: it is held once';
CREATE INDEX observation_quarantine_batch ON observation_quarantine (batch_id);
CREATE INDEX observation_quarantine_reason ON observation_quarantine (reason, quarantine_id);

-- A row goes on from the one before it: its number, and the SHA-256 of that digest and its bytes.
CREATE FUNCTION check_observation_chained() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong bigint;
BEGIN
    SELECT this.number INTO wrong
    FROM added AS this
    LEFT JOIN observation AS before ON before.number = this.number - 1
    WHERE (before.number IS NULL AND this.number > 1)
        OR this.digest <> sha256(
            coalesce(before.digest, decode(repeat('00', 32), 'hex'))
            || convert_to(concat_ws(E'\n', 'wellhead observation 1', this.number, this.provider,
                this.region, this.sku, this.hub, this.grade, this.size_gpus,
                this.price_usd_micros, this.kind, this.ts_ns, this.source, this.licence,
                this.term_months, this.instance, ''), 'UTF8'))
    ORDER BY this.number LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'observation % does not continue the chain', wrong
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER observation_chained AFTER INSERT ON observation REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION check_observation_chained();
ALTER TABLE observation ENABLE ALWAYS TRIGGER observation_chained;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['observation', 'observation_batch', 'observation_quarantine',
        'observation_provider', 'observation_provider_end']
    LOOP
        EXECUTE format('GRANT SELECT, INSERT ON %I TO wellhead_app', name);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM wellhead_app', name);
    END LOOP;
END $$;
