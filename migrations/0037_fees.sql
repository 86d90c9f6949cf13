-- Fees: what each account pays from which command on, what each fill cost, and how that is charged.
-- A charge is a command (an outbox, as of transfers); its reference is its id, taken once by the core.
-- migrate:up
CREATE TABLE fee_rate (
    account_idx bigint NOT NULL,
    seq         bigint NOT NULL CHECK (seq > 0),
    maker       bigint NOT NULL CHECK (maker >= 0),
    taker       bigint NOT NULL CHECK (taker >= maker),
    clearing    bigint NOT NULL CHECK (clearing >= 0),
    ts_ns       bigint NOT NULL,
    PRIMARY KEY (account_idx, seq)
);
COMMENT ON TABLE fee_rate IS 'micro-dollars per GPU-hour, as the journal said them';
CREATE INDEX fee_rate_seq ON fee_rate (seq);
GRANT SELECT, INSERT ON fee_rate TO wellhead_app;
REVOKE UPDATE, DELETE, TRUNCATE ON fee_rate FROM wellhead_app;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fee_rate
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE fee_rate ENABLE ALWAYS TRIGGER append_only;

ALTER TABLE position_event ADD COLUMN trading_fee_usd_micros bigint NOT NULL DEFAULT 0;
ALTER TABLE position_event ADD COLUMN clearing_fee_usd_micros bigint NOT NULL DEFAULT 0;

-- How far fills are billed, and the last day (since 1970, UTC) whose tiers and rebates are decided.
CREATE TABLE billing (
    name       text PRIMARY KEY CHECK (name = 'fees'),
    last_seq   bigint NOT NULL,
    closed_day bigint NOT NULL
);
INSERT INTO billing (name, last_seq, closed_day) VALUES ('fees', 0, 0);

CREATE TABLE fee_charge (
    charge_id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_idx       bigint NOT NULL,
    kind              bigint NOT NULL CHECK (kind BETWEEN 1 AND 4),
    amount_usd_micros bigint NOT NULL CHECK (amount_usd_micros <> 0),
    after_seq         bigint NOT NULL,
    until_seq         bigint NOT NULL CHECK (until_seq >= after_seq),
    status            text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'done', 'refused')),
    code              bigint,
    seq               bigint,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 4) = (amount_usd_micros < 0))
);
COMMENT ON COLUMN fee_charge.kind IS '1: trading, 2: clearing, 3: delivery, 4: a rebate, below zero';
COMMENT ON COLUMN fee_charge.after_seq IS 'the fills of commands after it, up to until_seq';
CREATE INDEX fee_charge_pending ON fee_charge (charge_id) WHERE status = 'pending';
CREATE INDEX fee_charge_account ON fee_charge (account_idx, charge_id);

CREATE TABLE trade_volume (
    day             bigint NOT NULL,
    account_idx     bigint NOT NULL,
    contract_idx    bigint NOT NULL,
    gpu_hours       bigint NOT NULL,
    maker_gpu_hours bigint NOT NULL,
    PRIMARY KEY (account_idx, day, contract_idx)
);
CREATE INDEX trade_volume_day ON trade_volume (day);

CREATE TABLE fee_tier (
    account_idx bigint NOT NULL,
    day         bigint NOT NULL,
    gpu_hours   bigint NOT NULL CHECK (gpu_hours >= 0),
    tier        text NOT NULL,
    PRIMARY KEY (account_idx, day)
);
COMMENT ON TABLE fee_tier IS 'decided at the start of the day by the 30 days before; none: standard';

CREATE TABLE maker_presence (
    day             bigint NOT NULL,
    account_idx     bigint NOT NULL,
    contract_idx    bigint NOT NULL,
    minutes_present bigint NOT NULL CHECK (minutes_present >= 0),
    minutes_open    bigint NOT NULL CHECK (minutes_open >= minutes_present),
    PRIMARY KEY (account_idx, day, contract_idx)
);
CREATE TABLE maker_rebate (
    day               bigint NOT NULL,
    account_idx       bigint NOT NULL,
    contract_idx      bigint NOT NULL,
    minutes_present   bigint NOT NULL,
    minutes_open      bigint NOT NULL,
    maker_gpu_hours   bigint NOT NULL,
    rebate_usd_micros bigint NOT NULL CHECK (rebate_usd_micros >= 0),
    charge_id         bigint REFERENCES fee_charge,
    PRIMARY KEY (account_idx, day, contract_idx)
);
GRANT SELECT, INSERT, UPDATE ON billing, fee_charge, trade_volume, fee_tier, maker_presence,
    maker_rebate TO wellhead_app;

-- What clearing wrote of fills, beside what was charged for them; and beside what the ledger posted.
CREATE VIEW violation_fee AS
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
    FROM transfer AS t JOIN posting AS p USING (transfer_id)
    JOIN ledger_account AS a USING (ledger_account_id)
    WHERE t.seq = c.seq AND t.ref_id = c.charge_id AND a.account_idx = c.account_idx
        AND t.reason IN ('trading_fee', 'clearing_fee', 'delivery_fee', 'rebate')
) AS l ON true
WHERE status = 'done' AND c.seq <= (SELECT last_seq FROM follower WHERE name = 'clearing')
    AND posted IS DISTINCT FROM amount_usd_micros;
GRANT SELECT ON violation_fee TO wellhead_app;
