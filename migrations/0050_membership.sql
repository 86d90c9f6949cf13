-- Which clearing member an account is a client of, as a history that nobody changes; and ports: a
-- client proposed to another member, who accepts it in time, whereupon its membership is another.
-- migrate:up
CREATE TABLE port (
    port_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx bigint NOT NULL REFERENCES account,
    from_idx    bigint NOT NULL REFERENCES account,
    to_idx      bigint NOT NULL REFERENCES account CHECK (to_idx <> from_idx),
    client_key  text NOT NULL UNIQUE CHECK (length(client_key) BETWEEN 1 AND 64),
    reason      text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    expires_ns  bigint NOT NULL,
    status      text NOT NULL DEFAULT 'proposed' CHECK (status IN (
        'proposed', 'done', 'declined', 'withdrawn', 'expired')),
    created_ns  bigint NOT NULL,
    updated_ns  bigint NOT NULL
);
COMMENT ON COLUMN port.account_idx IS 'the client';
COMMENT ON COLUMN port.expires_ns IS 'core time';
CREATE UNIQUE INDEX port_going ON port (account_idx) WHERE status = 'proposed';
CREATE INDEX port_to ON port (to_idx, port_id);

CREATE TABLE port_event (
    port_id bigint NOT NULL REFERENCES port,
    status  text NOT NULL,
    who     text NOT NULL,
    ts_ns   bigint NOT NULL,
    PRIMARY KEY (port_id, status)
);
COMMENT ON COLUMN port_event.who IS 'the key that asked, or the exchange';

CREATE TABLE membership (
    membership_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx   bigint NOT NULL REFERENCES account,
    member_idx    bigint REFERENCES account CHECK (member_idx <> account_idx),
    port_id       bigint UNIQUE REFERENCES port,
    who           text NOT NULL,
    ts_ns         bigint NOT NULL
);
COMMENT ON COLUMN membership.member_idx IS 'null: a client of nobody; the last row of an account holds';
COMMENT ON COLUMN membership.port_id IS 'the port that made it, null: an operator';
CREATE INDEX membership_account ON membership (account_idx, membership_id);
CREATE INDEX membership_member ON membership (member_idx, account_idx);

CREATE FUNCTION membership_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT kind IN ('member', 'house', 'fund') FROM account
        WHERE account_idx = NEW.account_idx) THEN
        RAISE EXCEPTION 'account % is no client: its kind clears for itself', NEW.account_idx
            USING ERRCODE = 'check_violation';
    END IF;
    IF (SELECT kind <> 'member' FROM account WHERE account_idx = NEW.member_idx) THEN
        RAISE EXCEPTION 'account % is no member', NEW.member_idx USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.port_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM port WHERE port_id = NEW.port_id AND account_idx = NEW.account_idx
            AND to_idx = NEW.member_idx AND status = 'done') THEN
        RAISE EXCEPTION 'port % does not say so', NEW.port_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER membership_fits BEFORE INSERT ON membership
    FOR EACH ROW EXECUTE FUNCTION membership_fits();
ALTER TABLE membership ENABLE ALWAYS TRIGGER membership_fits;

-- A port is done with its membership or not at all: judged as the transaction commits.
CREATE FUNCTION port_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status <> 'proposed' THEN
        RAISE EXCEPTION 'port % has ended', NEW.port_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status = 'done'
        AND NOT EXISTS (SELECT FROM membership WHERE port_id = NEW.port_id) THEN
        RAISE EXCEPTION 'port % is done without a membership', NEW.port_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER port_whole AFTER INSERT OR UPDATE ON port
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION port_whole();
ALTER TABLE port ENABLE ALWAYS TRIGGER port_whole;

GRANT SELECT, INSERT ON membership, port, port_event TO wellhead_app;
GRANT UPDATE (status, updated_ns) ON port TO wellhead_app;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['membership', 'port_event']
    LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM wellhead_app', name);
    END LOOP;
END $$;
