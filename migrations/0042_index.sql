-- The index as it was published: prints, the panels they follow from, committee values, errata.
-- migrate:up
CREATE TABLE index_panel (
    inputs   text PRIMARY KEY CHECK (inputs ~ '^[0-9a-f]{64}$'),
    document jsonb NOT NULL
);
COMMENT ON TABLE index_panel IS
    'what prints were computed from, each once: inputs is the SHA-256 of the document';

CREATE TABLE index_print (
    position         bigint PRIMARY KEY CHECK (position > 0),
    name             text NOT NULL CHECK (length(name) BETWEEN 3 AND 32),
    day              date NOT NULL,
    revision         bigint NOT NULL CHECK (revision BETWEEN 1 AND 2),
    state            text NOT NULL CHECK (state IN ('provisional', 'final')),
    price_usd_micros bigint NOT NULL CHECK (price_usd_micros > 0),
    step             bigint NOT NULL CHECK (step BETWEEN 1 AND 4),
    method           text NOT NULL CHECK (length(method) BETWEEN 1 AND 64),
    inputs           text NOT NULL REFERENCES index_panel,
    observed_to      bigint NOT NULL CHECK (observed_to >= 0),
    explanation      jsonb NOT NULL,
    digest           text NOT NULL UNIQUE CHECK (digest ~ '^[0-9a-f]{64}$'),
    published_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, day, revision)
);
COMMENT ON COLUMN index_print.position IS '1, 2, 3, ...: the order in which digests are chained';
COMMENT ON COLUMN index_print.name IS 'a series as in H100-USE or H100.T-USE';
COMMENT ON COLUMN index_print.step IS
    '1 own panel, 2 worldwide print and hub spread, 3 mean of the last three, 4 committee';
COMMENT ON COLUMN index_print.observed_to IS 'the newest observation that was known';
CREATE INDEX index_print_day ON index_print (day);

CREATE TABLE index_committee (
    name             text NOT NULL CHECK (length(name) BETWEEN 3 AND 32),
    day              date NOT NULL,
    price_usd_micros bigint NOT NULL CHECK (price_usd_micros > 0),
    reason           text NOT NULL CHECK (length(reason) BETWEEN 8 AND 500),
    said_by          text NOT NULL CHECK (length(said_by) BETWEEN 1 AND 64),
    said_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, day, said_by)
);
COMMENT ON TABLE index_committee IS 'a value stands once two operators have said the same';

CREATE TABLE index_erratum (
    erratum_id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                 text NOT NULL,
    day                  date NOT NULL,
    published_usd_micros bigint NOT NULL CHECK (published_usd_micros > 0),
    corrected_usd_micros bigint NOT NULL CHECK (corrected_usd_micros > 0),
    observed_to          bigint NOT NULL CHECK (observed_to >= 0),
    found_at             timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, day, corrected_usd_micros)
);
COMMENT ON TABLE index_erratum IS
    'what a final print would have been, had late observations been known; it stays as it is';

GRANT SELECT, INSERT ON index_panel, index_print, index_committee, index_erratum TO wellhead_app;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['index_panel', 'index_print', 'index_committee', 'index_erratum']
    LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
    END LOOP;
END $$;
