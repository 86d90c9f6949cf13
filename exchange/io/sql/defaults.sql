-- Liquidations as clearing wrote them, proofs, and margin calls.

-- name: cleared_seq
SELECT last_seq FROM follower WHERE name = 'clearing';

-- name: account_kinds
SELECT account_idx, kind FROM account;

-- name: last_liquidations
SELECT DISTINCT ON (account_idx) account_idx, liquidation_id, e.ts_ns, state_before
FROM liquidation_event AS e JOIN account USING (account_idx)
WHERE kind = $1 AND step = 1 ORDER BY account_idx, seq DESC;

-- name: guarantors
SELECT account_idx, member_idx FROM (
    SELECT DISTINCT ON (account_idx) account_idx, member_idx FROM membership
    WHERE account_idx = ANY($1::bigint[]) ORDER BY account_idx, membership_id DESC
) AS last WHERE member_idx IS NOT NULL;

-- name: open_liquidations
SELECT b.account_idx, b.liquidation_id, b.ts_ns, b.state_before
FROM liquidation_event AS b
WHERE b.step = 1 AND b.seq <= $1 AND NOT EXISTS (
    SELECT 1 FROM liquidation_event AS e
    WHERE e.liquidation_id = b.liquidation_id AND e.step = 2
);

-- name: liquidations
SELECT b.liquidation_id, account_id, b.account_idx, b.ts_ns, b.equity_usd_micros,
    b.initial_usd_micros, b.maintenance_usd_micros, e.ts_ns AS ended_ns,
    e.equity_usd_micros AS end_equity_usd_micros
FROM liquidation_event AS b
JOIN account USING (account_idx)
LEFT JOIN liquidation_event AS e ON e.liquidation_id = b.liquidation_id AND e.step = 2
WHERE b.step = 1 AND b.liquidation_id < $1 AND ($2::bigint IS NULL OR b.account_idx = $2)
ORDER BY b.liquidation_id DESC LIMIT $3;

-- name: moves
SELECT m.seq, m.reason, symbol, giver.account_id AS giver_id, receiver.account_id AS receiver_id,
    m.side, m.price_ticks, m.qty_lots, m.ts_ns
FROM position_move AS m
JOIN contract USING (contract_idx)
JOIN account AS giver ON giver.account_idx = m.giver_idx
JOIN account AS receiver ON receiver.account_idx = m.receiver_idx
WHERE m.liquidation_id = $1 AND m.reason > 1 -- a give-up has an id of its own
ORDER BY m.seq;

-- name: uses
SELECT u.seq, u.layer, giver.account_id AS giver_id, receiver.account_id AS receiver_id,
    u.amount_usd_micros, u.ts_ns
FROM waterfall_use AS u
JOIN account AS giver ON giver.account_idx = u.giver_idx
JOIN account AS receiver ON receiver.account_idx = u.receiver_idx
WHERE u.liquidation_id = $1 ORDER BY u.seq;

-- name: keep_proof
INSERT INTO adl_proof (liquidation_id, round_no, contract_idx, state_seq, digest, body)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;

-- name: proofs
SELECT round_no, digest, body FROM adl_proof WHERE liquidation_id = $1 ORDER BY round_no;

-- name: issue_call
-- One call an account at a time: who issues it again changes nothing.
INSERT INTO margin_call (account_idx, amount_usd_micros, issued_ns, due_ns, state, updated_ns)
VALUES ($1, $2, $3, $4, 'issued', $3)
ON CONFLICT (account_idx) WHERE state NOT IN ('met', 'cured', 'escalated') DO NOTHING;

-- name: open_calls
SELECT call_id, account_idx, amount_usd_micros, issued_ns, due_ns, state, met_usd_micros, reminders
FROM margin_call WHERE state NOT IN ('met', 'cured', 'escalated');

-- name: change_call
-- From the state it was read in only: two that change it at once do not undo each other.
UPDATE margin_call SET state = $3, met_usd_micros = $4, reminders = $5, updated_ns = $6
WHERE call_id = $1 AND state = $2 AND met_usd_micros <= $4
RETURNING call_id;

-- name: acknowledge_call
UPDATE margin_call SET state = 'acknowledged', updated_ns = $3
WHERE call_id = $1 AND account_idx = $2 AND state = 'issued';

-- name: escalated
-- Accounts whose last call was escalated and led to no liquidation yet.
SELECT account_idx FROM (
    SELECT DISTINCT ON (account_idx) account_idx, state, updated_ns FROM margin_call
    ORDER BY account_idx, call_id DESC
) AS last
WHERE state = 'escalated' AND NOT EXISTS (
    SELECT 1 FROM liquidation_event AS e
    WHERE e.account_idx = last.account_idx AND e.step = 1 AND e.ts_ns >= last.updated_ns
);

-- name: calls
SELECT call_id, account_id, amount_usd_micros, met_usd_micros, issued_ns, due_ns, state, reminders
FROM margin_call JOIN account USING (account_idx)
WHERE call_id < $1 AND ($2::bigint IS NULL OR account_idx = $2)
ORDER BY call_id DESC LIMIT $3;

-- name: calls_changed
-- Calls that are open, and those that changed since $1.
SELECT call_id, account_id, amount_usd_micros, met_usd_micros, issued_ns, due_ns, state, reminders,
    account_idx, updated_ns
FROM margin_call JOIN account USING (account_idx)
WHERE updated_ns >= $1 OR state NOT IN ('met', 'cured', 'escalated')
ORDER BY updated_ns, call_id;

-- name: uses_open
-- What layers gave for the liquidations of $2, by commands that clearing has up to $1.
SELECT liquidation_id, layer, giver_idx, sum(amount_usd_micros)::bigint AS amount_usd_micros
FROM waterfall_use
WHERE liquidation_id = ANY($2::bigint[]) AND seq <= $1 AND layer > 0
GROUP BY liquidation_id, layer, giver_idx;

-- name: haircuts
-- What was taken of gains since the account was last settled, by commands up to $1.
SELECT giver_idx, sum(amount_usd_micros)::bigint AS amount_usd_micros
FROM waterfall_use AS u
WHERE layer = 7 AND seq <= $1 AND NOT EXISTS (
    SELECT 1 FROM variation AS v WHERE v.account_idx = u.giver_idx AND v.seq > u.seq
)
GROUP BY giver_idx;

-- name: keep_loss
INSERT INTO loss_proof (liquidation_id, round_no, digest, body)
VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: losses
SELECT digest, body FROM loss_proof WHERE liquidation_id = $1 ORDER BY round_no;

-- name: public_uses
-- The party of the defaulter's own layer is the one that gets the money; a member's share of the
-- default fund is an account of its own, named by the slot of its member.
SELECT u.seq, u.layer,
    CASE WHEN u.layer = 1 THEN u.receiver_idx
        WHEN giver.kind = 'fund' THEN split_part(giver.account_id, '.', 2)::bigint
        ELSE u.giver_idx END AS party_idx,
    u.amount_usd_micros
FROM waterfall_use AS u JOIN account AS giver ON giver.account_idx = u.giver_idx
WHERE u.liquidation_id = $1 AND u.layer > 0 ORDER BY u.seq;

-- name: own_losses
-- What others' defaults cost an account: out of its own cash, or its share of the default fund.
SELECT u.liquidation_id, u.seq, u.layer, u.amount_usd_micros, u.ts_ns
FROM waterfall_use AS u JOIN account AS giver ON giver.account_idx = u.giver_idx
WHERE u.layer > 1 AND (u.giver_idx = $1 OR giver.account_id = 'fund.' || $1::bigint)
    AND u.seq < $2
ORDER BY u.seq DESC LIMIT $3;

-- name: keep_sizing
INSERT INTO fund_sizing (day, seq, ts_ns, size_usd_micros, held_usd_micros, body)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;

-- name: sizings
SELECT day, seq, ts_ns, size_usd_micros, held_usd_micros, body
FROM fund_sizing ORDER BY seq DESC LIMIT $1;

-- name: accounts_of_funds
SELECT account_idx, account_id, kind FROM account WHERE kind IN ('fund', 'house');

-- name: account_names
SELECT account_idx, account_id, kind FROM account ORDER BY account_idx;
