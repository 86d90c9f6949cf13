-- What surveillance suspects, and what people have said about it: rows are added, never changed.
-- migrate:up
CREATE TABLE alert (
    alert_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pattern      text NOT NULL CHECK (pattern ~ '^[a-z_]{1,32}$'),
    subject      text NOT NULL,
    contract_idx bigint NOT NULL CHECK (contract_idx >= -1),
    seqs         bigint[] NOT NULL CHECK (cardinality(seqs) > 0),
    last_seq     bigint NOT NULL,
    first_ns     bigint NOT NULL,
    last_ns      bigint NOT NULL,
    figures      jsonb NOT NULL,
    raised_at    timestamptz NOT NULL DEFAULT now(),
    -- Read again after a kill, the same commands raise the same alert.
    UNIQUE (pattern, subject, contract_idx, last_seq)
);
COMMENT ON COLUMN alert.seqs IS 'commands of the journal; of a submission numbers of observations';
CREATE TABLE alert_note (
    note_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id bigint NOT NULL REFERENCES alert (alert_id),
    status   text NOT NULL CHECK (status IN ('open', 'dismissed', 'escalated')),
    note     text NOT NULL CHECK (length(note) BETWEEN 1 AND 500),
    noted_by text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX alert_note_alert ON alert_note (alert_id, note_id);
INSERT INTO follower (name, last_seq) VALUES ('surveillance', 0), ('submissions', 0);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['alert', 'alert_note'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO wellhead_app', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM wellhead_app', name);
    END LOOP;
END $$;
