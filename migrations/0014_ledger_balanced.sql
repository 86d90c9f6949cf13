-- No transaction commits a transfer that does not sum to zero, whoever writes it.
-- migrate:up

-- Once a transfer, at commit: a row trigger on posting would add up the whole transfer once for
-- each of its postings.
CREATE FUNCTION check_transfer_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    postings bigint;
    total    numeric;
BEGIN
    SELECT count(*), coalesce(sum(amount_usd_micros), 0) INTO postings, total
    FROM posting WHERE transfer_id = NEW.transfer_id;
    IF postings < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'transfer % has % postings that sum to % instead of 0',
            NEW.transfer_id, postings, total USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER transfer_balanced AFTER INSERT ON transfer
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_transfer_balanced();
ALTER TABLE transfer ENABLE ALWAYS TRIGGER transfer_balanced;

-- A posting joins only a transfer of its own transaction, so the check at commit sees all of them,
-- and it continues the version and the balance of its ledger account.
CREATE FUNCTION check_posting_appended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT added.transfer_id INTO wrong
    FROM added JOIN transfer USING (transfer_id)
    WHERE transfer.xmin::text::bigint <> (pg_current_xact_id()::text::bigint & 4294967295)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transfer % is closed: it was committed before', wrong.transfer_id
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT this.ledger_account_id, this.version INTO wrong
    FROM added AS this
    LEFT JOIN posting AS before
        ON before.ledger_account_id = this.ledger_account_id AND before.version = this.version - 1
    WHERE (before.version IS NULL AND this.version > 1)
        OR this.balance_usd_micros
            <> coalesce(before.balance_usd_micros, 0)::numeric + this.amount_usd_micros
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting % of ledger account % does not continue its balance',
            wrong.version, wrong.ledger_account_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER posting_appended AFTER INSERT ON posting REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION check_posting_appended();
ALTER TABLE posting ENABLE ALWAYS TRIGGER posting_appended;
