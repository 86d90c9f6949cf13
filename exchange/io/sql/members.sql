-- Members, their clients, and clients that go to another member.

-- name: lock
-- Whose client an account is changes one at a time: each change is judged by what is.
SELECT pg_advisory_xact_lock(7214502350);

-- name: current
SELECT member_idx FROM membership WHERE account_idx = $1 ORDER BY membership_id DESC LIMIT 1;

-- name: members_of
SELECT DISTINCT ON (m.account_idx) m.account_idx, a.account_id
FROM membership AS m LEFT JOIN account AS a ON a.account_idx = m.member_idx
WHERE m.account_idx = ANY($1::bigint[])
ORDER BY m.account_idx, m.membership_id DESC;

-- name: clients
SELECT c.account_idx FROM (
    SELECT DISTINCT ON (account_idx) account_idx, member_idx FROM membership
    WHERE account_idx IN (SELECT account_idx FROM membership WHERE member_idx = $1)
    ORDER BY account_idx, membership_id DESC
) AS c
WHERE c.member_idx = $1 AND c.account_idx > $2
ORDER BY c.account_idx LIMIT $3;

-- name: history
SELECT m.member_idx, a.account_id, m.port_id, m.who, m.ts_ns
FROM membership AS m LEFT JOIN account AS a ON a.account_idx = m.member_idx
WHERE m.account_idx = $1 ORDER BY m.membership_id;

-- name: join
INSERT INTO membership (account_idx, member_idx, port_id, who, ts_ns) VALUES ($1, $2, $3, $4, $5);

-- name: by_key
SELECT * FROM port WHERE client_key = $1;

-- name: going
SELECT port_id FROM port WHERE account_idx = $1 AND status = 'proposed';

-- name: propose
INSERT INTO port (account_idx, from_idx, to_idx, client_key, reason, expires_ns, created_ns,
    updated_ns)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING *;

-- name: note
INSERT INTO port_event (port_id, status, who, ts_ns) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING;

-- name: get
SELECT * FROM port WHERE port_id = $1 AND ($2::bigint IS NULL OR to_idx = $2);

-- name: list
SELECT * FROM port
WHERE ($1::bigint IS NULL OR to_idx = $1) AND port_id < $2
ORDER BY port_id DESC LIMIT $3;

-- name: offers
SELECT * FROM port WHERE starts_with(client_key, $1) ORDER BY port_id;

-- name: answer
-- Only while it is proposed, in time, and, where $3 says who answers, by the member it is for.
UPDATE port SET status = $2, updated_ns = $4
WHERE port_id = $1 AND status = 'proposed' AND expires_ns > $4
    AND ($3::bigint IS NULL OR to_idx = $3)
RETURNING *;

-- name: leave
WITH gone AS (
    UPDATE port SET status = 'withdrawn', updated_ns = $3
    WHERE account_idx = $1 AND status = 'proposed' RETURNING port_id
)
INSERT INTO port_event (port_id, status, who, ts_ns) SELECT port_id, 'withdrawn', $2, $3 FROM gone;

-- name: expire
WITH gone AS (
    UPDATE port SET status = 'expired', updated_ns = $1
    WHERE status = 'proposed' AND expires_ns <= $1 RETURNING port_id
)
INSERT INTO port_event (port_id, status, who, ts_ns)
SELECT port_id, 'expired', 'exchange', $1 FROM gone;

-- name: events
SELECT status, who, ts_ns FROM port_event WHERE port_id = $1 ORDER BY ts_ns, status;

-- name: note_limits
INSERT INTO account_limit (account_idx, member_idx, qty_max_lots, notional_max_usd_micros,
    position_max_lots, orders_per_second_max, open_orders_max, who, ts_ns)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: knows_limits
SELECT EXISTS (SELECT FROM account_limit WHERE account_idx = $1);

-- name: limits_of_all
-- As limits_of, of every account that anybody ever allowed something.
SELECT DISTINCT ON (l.account_idx, l.member_idx IS NOT NULL)
    l.account_idx, l.member_idx IS NOT NULL AS by_member, l.qty_max_lots,
    l.notional_max_usd_micros, l.position_max_lots, l.orders_per_second_max, l.open_orders_max
FROM account_limit AS l
WHERE l.member_idx IS NULL OR l.member_idx = (
    SELECT m.member_idx FROM membership AS m
    WHERE m.account_idx = l.account_idx ORDER BY m.membership_id DESC LIMIT 1)
ORDER BY l.account_idx, l.member_idx IS NOT NULL, l.limit_id DESC;

-- name: limited
SELECT DISTINCT account_idx FROM account_limit;

-- name: limits_of
-- The last word of an operator, and that of the member the account has now.
SELECT DISTINCT ON (l.member_idx IS NOT NULL)
    l.member_idx IS NOT NULL AS by_member, l.qty_max_lots, l.notional_max_usd_micros,
    l.position_max_lots, l.orders_per_second_max, l.open_orders_max
FROM account_limit AS l
WHERE l.account_idx = $1 AND (l.member_idx IS NULL OR l.member_idx = (
    SELECT m.member_idx FROM membership AS m
    WHERE m.account_idx = $1 ORDER BY m.membership_id DESC LIMIT 1))
ORDER BY l.member_idx IS NOT NULL, l.limit_id DESC;
