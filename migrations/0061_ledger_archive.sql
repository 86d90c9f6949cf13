-- A month that is over and sealed may be taken out of the ledger, the oldest first.
-- migrate:up

-- Detaches its two partitions, which stay as tables of their own, and keeps what each ledger
-- account had at its end. For the owner alone: it is no right of the application.
CREATE FUNCTION archive_ledger_month(month text) RETURNS text LANGUAGE plpgsql
SET lock_timeout = '10s' AS $$
DECLARE
    it     ledger_month%ROWTYPE;
    suffix text := replace(month, '-', '_');
    place  record;
    key    text;
BEGIN
    LOCK TABLE transfer, posting, ledger_month IN ACCESS EXCLUSIVE MODE;
    SELECT * INTO it FROM ledger_month WHERE name = suffix;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no month %', month USING ERRCODE = 'invalid_parameter_value';
    ELSIF it.archived_at IS NOT NULL THEN
        RAISE EXCEPTION 'month % is archived since %', month, it.archived_at
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF EXISTS (SELECT FROM ledger_month WHERE from_ns < it.from_ns AND archived_at IS NULL) THEN
        RAISE EXCEPTION 'month % is not the oldest: %', month,
            (SELECT name FROM ledger_month WHERE archived_at IS NULL ORDER BY from_ns LIMIT 1)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- A month without a transfer ends where the one before did.
    SELECT coalesce(max(transfer_id), nullif((SELECT last_transfer_id FROM ledger_archived), 0))
            AS id,
        coalesce(max(seq), nullif((SELECT last_seq FROM ledger_archived), 0)) AS seq
    INTO place FROM transfer WHERE ts_ns >= it.from_ns AND ts_ns < it.until_ns;
    IF place.id IS NULL THEN
        RAISE EXCEPTION 'month % has nothing to archive', month
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF place.id > (SELECT coalesce(max(last_transfer_id), 0) FROM ledger_head) THEN
        RAISE EXCEPTION 'month % is not sealed: its last transfer % is under no signed head',
            month, place.id USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO ledger_opening (ledger_account_id, version, balance_usd_micros)
    SELECT DISTINCT ON (ledger_account_id) ledger_account_id, version, balance_usd_micros
    FROM posting WHERE ts_ns >= it.from_ns AND ts_ns < it.until_ns
    ORDER BY ledger_account_id, version DESC
    ON CONFLICT (ledger_account_id) DO UPDATE SET
        version = excluded.version, balance_usd_micros = excluded.balance_usd_micros;
    EXECUTE format('ALTER TABLE posting DETACH PARTITION %I', 'posting_' || suffix);
    SELECT conname INTO STRICT key FROM pg_constraint
    WHERE conrelid = format('%I', 'posting_' || suffix)::regclass AND contype = 'f'
        AND confrelid = 'transfer'::regclass;
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', 'posting_' || suffix, key);
    EXECUTE format('ALTER TABLE transfer DETACH PARTITION %I', 'transfer_' || suffix);
    EXECUTE format('ALTER TABLE %I ADD FOREIGN KEY (transfer_id, ts_ns)
        REFERENCES %I (transfer_id, ts_ns)', 'posting_' || suffix, 'transfer_' || suffix);
    UPDATE ledger_month SET last_transfer_id = place.id, last_seq = place.seq, archived_at = now()
    WHERE name = suffix;
    RETURN format('transfer_%s and posting_%s, up to transfer %s', suffix, suffix, place.id);
END $$;
REVOKE ALL ON FUNCTION archive_ledger_month(text) FROM PUBLIC;
