-- The ledger by month of core time (UTC): transfer and posting become partitioned, a partition a
-- month. What is stored already moves into them. See docs/adr/0009-ledger-by-month.md.
-- migrate:up

-- The months there are, and which of them were taken out (see archive_ledger_month).
CREATE TABLE ledger_month (
    name             text PRIMARY KEY CHECK (name ~ '^\d{4}_\d{2}$'),
    from_ns          bigint NOT NULL UNIQUE,
    until_ns         bigint NOT NULL UNIQUE CHECK (until_ns > from_ns),
    last_transfer_id bigint CHECK (last_transfer_id > 0),
    last_seq         bigint CHECK (last_seq > 0),
    archived_at      timestamptz,
    CHECK ((archived_at IS NULL) = (last_transfer_id IS NULL)),
    CHECK ((archived_at IS NULL) = (last_seq IS NULL))
);
COMMENT ON COLUMN ledger_month.last_transfer_id IS 'of an archived month: what is there goes on after it';
-- What each ledger account had at the end of the archived months.
CREATE TABLE ledger_opening (
    ledger_account_id  bigint PRIMARY KEY REFERENCES ledger_account,
    version            bigint NOT NULL CHECK (version > 0),
    balance_usd_micros bigint NOT NULL
);
GRANT SELECT ON ledger_month, ledger_opening TO wellhead_app;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ledger_month, ledger_opening FROM wellhead_app;

-- One row, zeros when nothing is archived.
CREATE VIEW ledger_archived AS
SELECT coalesce(max(last_transfer_id), 0) AS last_transfer_id,
    coalesce(max(last_seq), 0) AS last_seq
FROM ledger_month;
GRANT SELECT ON ledger_archived TO wellhead_app;

-- squawk-ignore renaming-table
ALTER TABLE transfer RENAME TO transfer_before;
-- squawk-ignore renaming-object
ALTER TABLE transfer_before RENAME CONSTRAINT transfer_pkey TO transfer_before_pkey;
-- squawk-ignore renaming-object
ALTER TABLE transfer_before RENAME CONSTRAINT transfer_seq_leg_key TO transfer_before_seq_leg_key;
-- squawk-ignore renaming-table
ALTER TABLE posting RENAME TO posting_before;
-- squawk-ignore renaming-object
ALTER TABLE posting_before RENAME CONSTRAINT posting_pkey TO posting_before_pkey;
-- squawk-ignore renaming-object
ALTER TABLE posting_before RENAME CONSTRAINT posting_transfer_id_ledger_account_id_key
    TO posting_before_transfer_key;

-- The time is in every key, as Postgres wants it of what it partitions by. That numbers are
-- unique over all months follows from the one writer, whose place moves in the same transaction;
-- violation_ledger shows any that is not.
CREATE TABLE transfer (
    LIKE transfer_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS,
    PRIMARY KEY (transfer_id, ts_ns),
    UNIQUE (seq, leg, ts_ns)
) PARTITION BY RANGE (ts_ns);
CREATE TABLE posting (
    LIKE posting_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS,
    ts_ns bigint NOT NULL,
    PRIMARY KEY (ledger_account_id, version, ts_ns),
    UNIQUE (transfer_id, ledger_account_id, ts_ns)
) PARTITION BY RANGE (ts_ns);
COMMENT ON COLUMN posting.ts_ns IS 'of its transfer';
GRANT SELECT, INSERT ON transfer, posting TO wellhead_app;
REVOKE UPDATE, DELETE, TRUNCATE ON transfer, posting FROM wellhead_app;

CREATE FUNCTION ledger_month_ns(month timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    -- The last one that 64 bits can name ends with them.
    SELECT least(extract(epoch FROM month) * 1000000000, 9223372036854775807)::bigint
$$;

-- Makes the partitions that the times need and that are not there yet; again it does nothing. The
-- application may call it, and may make nothing else: it is run with the rights of the owner.
CREATE FUNCTION make_ledger_months(times_ns bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    month  timestamp;
    suffix text;
    parent text;
    child  text;
    made   bigint := 0;
BEGIN
    IF cardinality(times_ns) > 1000 THEN
        RAISE EXCEPTION 'at most 1000 months at once' USING ERRCODE = 'program_limit_exceeded';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('wellhead ledger months', 0));
    FOR month IN
        SELECT DISTINCT date_trunc('month', timestamp '1970-01-01' + make_interval(
            secs => floor(at_ns / 1000000000.0)::double precision))
        FROM unnest(times_ns) AS at_ns ORDER BY 1
    LOOP
        suffix := to_char(month, 'YYYY_MM');
        CONTINUE WHEN EXISTS (SELECT FROM ledger_month WHERE ledger_month.name = suffix);
        INSERT INTO ledger_month (name, from_ns, until_ns) VALUES (
            suffix, ledger_month_ns(month), ledger_month_ns(month + interval '1 month'));
        FOREACH parent IN ARRAY ARRAY['transfer', 'posting']
        LOOP
            child := parent || '_' || suffix;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                child, parent);
            EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, wellhead_app', child);
            EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', child);
            EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', child);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                parent, child, ledger_month_ns(month),
                ledger_month_ns(month + interval '1 month'));
        END LOOP;
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION make_ledger_months(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_ledger_months(bigint[]) TO wellhead_app;
DO $$
BEGIN
    -- Nobody's temporary tables, nor another schema, may be taken for ours.
    EXECUTE format('ALTER FUNCTION make_ledger_months(bigint[]) SET search_path = %I, pg_temp',
        current_schema());
END $$;

-- What is there moves; the guards come after, they would look at each row again.
SELECT make_ledger_months(array_agg(at_ns)) FROM (
    SELECT min(ts_ns) AS at_ns FROM transfer_before
    GROUP BY date_trunc('month', to_timestamp((ts_ns / 1000000000)::double precision) AT TIME ZONE 'UTC')
) AS months;
INSERT INTO transfer SELECT * FROM transfer_before;
INSERT INTO posting (transfer_id, ledger_account_id, version, amount_usd_micros,
    balance_usd_micros, ts_ns)
SELECT p.transfer_id, p.ledger_account_id, p.version, p.amount_usd_micros, p.balance_usd_micros,
    t.ts_ns
FROM posting_before AS p JOIN transfer_before AS t USING (transfer_id);
ALTER TABLE posting ADD CONSTRAINT posting_ledger_account_id_fkey
    FOREIGN KEY (ledger_account_id) REFERENCES ledger_account;
ALTER TABLE posting ADD CONSTRAINT posting_transfer_fkey
    FOREIGN KEY (transfer_id, ts_ns) REFERENCES transfer (transfer_id, ts_ns);

CREATE OR REPLACE FUNCTION check_transfer_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    postings bigint;
    total    numeric;
BEGIN
    SELECT count(*), coalesce(sum(amount_usd_micros), 0) INTO postings, total
    FROM posting WHERE transfer_id = NEW.transfer_id AND ts_ns = NEW.ts_ns;
    IF postings < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'transfer % has % postings that sum to % instead of 0',
            NEW.transfer_id, postings, total USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER transfer_balanced AFTER INSERT ON transfer
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_transfer_balanced();
ALTER TABLE transfer ENABLE ALWAYS TRIGGER transfer_balanced;

-- The posting before is nearly always of this month or the last one: older ones are asked last.
CREATE OR REPLACE FUNCTION check_posting_appended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong     record;
    recent_ns bigint;
BEGIN
    SELECT added.transfer_id INTO wrong
    FROM added JOIN transfer USING (transfer_id, ts_ns)
    WHERE transfer.xmin::text::bigint <> (pg_current_xact_id()::text::bigint & 4294967295)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transfer % is closed: it was committed before', wrong.transfer_id
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT min(ts_ns) - 2678400000000000 INTO recent_ns FROM added;  -- 31 days
    SELECT ledger_account_id, version INTO wrong
    FROM (
        SELECT this.ledger_account_id, this.version, this.balance_usd_micros,
            this.amount_usd_micros, CASE WHEN this.version > 1 THEN coalesce(
                (SELECT balance_usd_micros FROM posting AS p
                    WHERE p.ledger_account_id = this.ledger_account_id
                    AND p.version = this.version - 1 AND p.ts_ns >= recent_ns LIMIT 1),
                (SELECT balance_usd_micros FROM posting AS p
                    WHERE p.ledger_account_id = this.ledger_account_id
                    AND p.version = this.version - 1 AND p.ts_ns < recent_ns LIMIT 1),
                (SELECT balance_usd_micros FROM ledger_opening AS o
                    WHERE o.ledger_account_id = this.ledger_account_id
                    AND o.version = this.version - 1)) ELSE 0 END AS before_usd_micros
        FROM added AS this
    ) AS due
    WHERE before_usd_micros IS NULL
        OR balance_usd_micros <> before_usd_micros::numeric + amount_usd_micros
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

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE transfer ENABLE ALWAYS TRIGGER append_only;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE posting ENABLE ALWAYS TRIGGER append_only;

CREATE OR REPLACE VIEW violation_ledger AS
SELECT 'transfer sums to zero' AS rule, 'transfer ' || transfer_id AS place,
    0::numeric AS expected, coalesce(sum(amount_usd_micros), 0) AS found
FROM transfer LEFT JOIN posting USING (transfer_id, ts_ns)
GROUP BY transfer_id, ts_ns
HAVING coalesce(sum(amount_usd_micros), 0) <> 0 OR count(amount_usd_micros) < 2
UNION ALL
-- Over all months: a number that is there twice is a row too many here.
SELECT 'transfers are numbered without a gap', 'transfer ' || transfer_id, counted, transfer_id
FROM (
    SELECT transfer_id, (SELECT last_transfer_id FROM ledger_archived)
        + row_number() OVER (ORDER BY transfer_id, ts_ns) AS counted
    FROM transfer
) AS t
WHERE transfer_id <> counted
UNION ALL
-- So that neither a command's leg nor a time is in two months.
SELECT 'transfers follow their commands', 'transfer ' || transfer_id, before_seq, seq
FROM (
    SELECT transfer_id, seq, leg, ts_ns, lag(seq, 1, (SELECT last_seq FROM ledger_archived)) OVER this
            AS before_seq,
        lag(leg, 1, -1::bigint) OVER this AS before_leg, lag(ts_ns, 1, ts_ns) OVER this AS before_ns
    FROM transfer WINDOW this AS (ORDER BY transfer_id, ts_ns)
) AS t
WHERE (seq, leg) <= (before_seq, before_leg) OR ts_ns < before_ns
UNION ALL
SELECT 'posting continues its balance',
    'ledger account ' || ledger_account_id || ' version ' || version, due, balance_usd_micros
FROM (
    SELECT p.ledger_account_id, p.version, p.balance_usd_micros,
        coalesce(o.balance_usd_micros, 0) + sum(p.amount_usd_micros) OVER this AS due,
        coalesce(o.version, 0) + row_number() OVER this AS counted
    FROM posting AS p LEFT JOIN ledger_opening AS o USING (ledger_account_id)
    WINDOW this AS (PARTITION BY p.ledger_account_id ORDER BY p.version, p.ts_ns)
) AS p
WHERE balance_usd_micros <> due OR version <> counted
UNION ALL
SELECT 'balance is the sum of postings', 'ledger account ' || ledger_account_id,
    coalesce(due, 0), coalesce(balance_usd_micros, 0)
FROM balance FULL JOIN (
    SELECT ledger_account_id, sum(usd_micros) AS due, max(version) AS last_version
    FROM (
        SELECT ledger_account_id, amount_usd_micros AS usd_micros, version FROM posting
        UNION ALL SELECT ledger_account_id, balance_usd_micros, version FROM ledger_opening
    ) AS every GROUP BY ledger_account_id
) AS p USING (ledger_account_id)
WHERE due IS DISTINCT FROM balance_usd_micros OR last_version IS DISTINCT FROM version
UNION ALL
SELECT 'variation margin is posted in full', 'account ' || account_idx,
    coalesce(due, 0), coalesce(posted, 0)
FROM (
    SELECT account_idx, sum(amount_usd_micros) AS due FROM variation
    WHERE seq > (SELECT last_seq FROM ledger_archived) GROUP BY account_idx
) AS v FULL JOIN (
    SELECT account_idx, sum(amount_usd_micros) AS posted
    FROM posting JOIN transfer USING (transfer_id, ts_ns)
    JOIN ledger_account USING (ledger_account_id)
    WHERE reason IN ('variation_collect', 'variation_pay') AND account_idx IS NOT NULL
    GROUP BY account_idx
) AS p USING (account_idx)
WHERE coalesce(due, 0) <> coalesce(posted, 0)
UNION ALL
SELECT 'settlement pays what it collects', 'seq ' || seq, paid_usd_micros, coalesce(gained, 0)
FROM settlement LEFT JOIN (
    SELECT seq, sum(greatest(amount_usd_micros, 0)) AS gained, sum(amount_usd_micros) AS total
    FROM variation GROUP BY seq
) AS v USING (seq)
WHERE paid_usd_micros <> coalesce(gained, 0) OR coalesce(total, 0) <> 0;

CREATE OR REPLACE VIEW violation_fee AS
SELECT 'fees charged are those of the fills' AS rule,
    'account ' || coalesce(f.account_idx, c.account_idx) AS place,
    coalesce(f.fees, 0)::numeric AS expected, coalesce(c.charged, 0)::numeric AS found
FROM (
    SELECT account_idx, sum(trading_fee_usd_micros + clearing_fee_usd_micros) AS fees
    FROM position_event WHERE seq <= (SELECT last_seq FROM billing)
    GROUP BY account_idx
) AS f FULL JOIN (
    SELECT account_idx, sum(amount_usd_micros) AS charged FROM fee_charge WHERE kind IN (1, 2)
    GROUP BY account_idx
) AS c USING (account_idx)
WHERE coalesce(f.fees, 0) <> coalesce(c.charged, 0)
UNION ALL
SELECT 'charge was posted', 'charge ' || charge_id, amount_usd_micros, coalesce(posted, 0)
FROM fee_charge AS c LEFT JOIN LATERAL (
    SELECT -p.amount_usd_micros AS posted
    FROM transfer AS t JOIN posting AS p USING (transfer_id, ts_ns)
    JOIN ledger_account AS a USING (ledger_account_id)
    WHERE t.seq = c.seq AND t.ref_id = c.charge_id AND a.account_idx = c.account_idx
        AND t.reason IN ('trading_fee', 'clearing_fee', 'delivery_fee', 'rebate')
) AS l ON true
WHERE status = 'done' AND c.seq <= (SELECT last_seq FROM follower WHERE name = 'clearing')
    AND c.seq > (SELECT last_seq FROM ledger_archived)
    AND posted IS DISTINCT FROM amount_usd_micros;

-- squawk-ignore ban-drop-table
DROP TABLE posting_before;
-- squawk-ignore ban-drop-table
DROP TABLE transfer_before;
