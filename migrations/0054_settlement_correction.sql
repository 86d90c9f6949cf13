-- Corrections of settlements before they are final: what two people say was wrong. What came of it
-- is in the journal: a settlement of cycle 4 names its run, and the run has a note.
-- migrate:up
CREATE TABLE settlement_note (
    run     text PRIMARY KEY CHECK (length(run) = 64),
    revises text NOT NULL CHECK (length(revises) = 64 AND revises <> run),
    reason  text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    said_by text NOT NULL CHECK (length(said_by) BETWEEN 1 AND 64),
    agreed_by text NOT NULL CHECK (length(agreed_by) BETWEEN 1 AND 64 AND agreed_by <> said_by)
);
COMMENT ON TABLE settlement_note IS 'what a run of settlement_input that corrects another one says';
GRANT SELECT, INSERT ON settlement_note TO wellhead_app;
REVOKE UPDATE, DELETE, TRUNCATE ON settlement_note FROM wellhead_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_note
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE settlement_note ENABLE ALWAYS TRIGGER append_only;

CREATE TABLE settlement_correction (
    correction_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_key  text NOT NULL UNIQUE CHECK (length(client_key) BETWEEN 1 AND 64),
    due_ns      bigint NOT NULL CHECK (due_ns > 0),
    revises     text NOT NULL CHECK (length(revises) = 64),
    changes     jsonb NOT NULL,
    reason      text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    proposed_by text NOT NULL CHECK (length(proposed_by) BETWEEN 1 AND 64),
    approved_by text CHECK (approved_by <> proposed_by),
    status      text NOT NULL DEFAULT 'proposed' CHECK (status IN (
        'proposed', 'approved', 'done', 'refused', 'withdrawn')),
    run         text NOT NULL DEFAULT '',
    code        bigint,
    created_ns  bigint NOT NULL,
    updated_ns  bigint NOT NULL,
    CHECK (status IN ('proposed', 'withdrawn', 'refused') OR approved_by IS NOT NULL)
);
COMMENT ON COLUMN settlement_correction.run IS 'what it led to, once it has ended';
COMMENT ON COLUMN settlement_correction.code IS 'why a price that it names was not corrected';
CREATE UNIQUE INDEX settlement_correction_going ON settlement_correction (due_ns)
    WHERE status IN ('proposed', 'approved');

-- What was agreed to stays as it was said, and what has ended stays so.
CREATE FUNCTION settlement_correction_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status NOT IN ('proposed', 'approved')
        OR (OLD.status = 'approved' AND NEW.status NOT IN ('done', 'refused'))
        OR (OLD.approved_by IS NOT NULL AND NEW.approved_by IS DISTINCT FROM OLD.approved_by)
        OR (NEW.client_key, NEW.due_ns, NEW.revises, NEW.changes, NEW.reason, NEW.proposed_by)
            IS DISTINCT FROM
            (OLD.client_key, OLD.due_ns, OLD.revises, OLD.changes, OLD.reason, OLD.proposed_by)
    THEN
        RAISE EXCEPTION 'correction % stays as it is', OLD.correction_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settlement_correction_stays BEFORE UPDATE ON settlement_correction
    FOR EACH ROW EXECUTE FUNCTION settlement_correction_stays();
ALTER TABLE settlement_correction ENABLE ALWAYS TRIGGER settlement_correction_stays;
GRANT SELECT, INSERT ON settlement_correction TO wellhead_app;
GRANT UPDATE (approved_by, status, run, code, updated_ns) ON settlement_correction TO wellhead_app;
