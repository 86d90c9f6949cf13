-- Auctions of what liquidations could not close.

-- name: cleared_seq
SELECT last_seq FROM follower WHERE name = 'clearing';

-- name: admissions
SELECT DISTINCT ON (account_idx) account_idx, admitted FROM auction_admission
ORDER BY account_idx, admission_id DESC;

-- name: admit
INSERT INTO auction_admission (account_idx, admitted, who, ts_ns) VALUES ($1, $2, $3, $4);

-- name: members
SELECT account_idx FROM account WHERE kind = 'member';

-- name: open
INSERT INTO default_auction (liquidation_id, account_idx, opened_seq, opened_ns, closes_ns, lots,
    bidders, updated_ns)
VALUES ($1, $2, $3, $4, $5, $6, $7, $4) ON CONFLICT DO NOTHING;

-- name: begin_close
-- From here no bid is taken: the trigger of bids reads the status under a lock of the row.
UPDATE default_auction SET status = 'closing', updated_ns = $2
WHERE liquidation_id = $1 AND status = 'open';

-- name: bids
SELECT DISTINCT ON (lot_no, account_idx) lot_no, account_idx, premium_ticks, share_bps
FROM default_bid WHERE liquidation_id = $1 ORDER BY lot_no, account_idx, bid_id DESC;

-- name: keep_result
INSERT INTO default_auction_result (liquidation_id, state_seq, closed_ns, digest, body, juniors)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: keep_award
INSERT INTO default_award (liquidation_id, place, lot_no, account_idx, contract_idx, qty_lots,
    price_ticks)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: set_closed
UPDATE default_auction SET status = 'closed', updated_ns = $2
WHERE liquidation_id = $1 AND status = 'closing' RETURNING liquidation_id;

-- name: end
UPDATE default_auction SET status = $2, updated_ns = $3
WHERE liquidation_id = $1 AND status IN ('open', 'closing', 'closed');

-- name: going
SELECT * FROM default_auction WHERE liquidation_id = ANY ($1::bigint[])
    OR status IN ('open', 'closing', 'closed');

-- name: results
SELECT liquidation_id, closed_ns, juniors FROM default_auction_result
WHERE liquidation_id = ANY ($1::bigint[]);

-- name: awards
SELECT liquidation_id, lot_no, account_idx, contract_idx, qty_lots, price_ticks FROM default_award
WHERE liquidation_id = ANY ($1::bigint[]) ORDER BY liquidation_id, place;

-- name: moved
-- Lots that winners took, by commands that clearing has up to $1.
SELECT liquidation_id, receiver_idx, contract_idx, qty_lots FROM position_move
WHERE reason = 4 AND seq <= $1 AND liquidation_id = ANY ($2::bigint[]);

-- name: bid
-- Only while it is open, of who was asked, in time, and of a lot that there is.
INSERT INTO default_bid (liquidation_id, lot_no, account_idx, client_key, premium_ticks, share_bps,
    who, ts_ns)
SELECT liquidation_id, $2::bigint, $3::bigint, $4, $5, $6, $7, $8::bigint FROM default_auction
WHERE liquidation_id = $1 AND status = 'open' AND $3 = ANY (bidders) AND $8 < closes_ns
    AND $2 <= jsonb_array_length(lots)
FOR SHARE
ON CONFLICT DO NOTHING RETURNING bid_id;

-- name: bid_by_key
SELECT premium_ticks, share_bps FROM default_bid
WHERE liquidation_id = $1 AND lot_no = $2 AND account_idx = $3 AND client_key = $4;

-- name: own_bids
SELECT DISTINCT ON (liquidation_id, lot_no) liquidation_id, lot_no, premium_ticks, share_bps, ts_ns
FROM default_bid WHERE liquidation_id = ANY ($1::bigint[]) AND account_idx = $2
ORDER BY liquidation_id, lot_no, bid_id DESC;

-- name: get
SELECT * FROM default_auction WHERE liquidation_id = $1;

-- name: list
SELECT * FROM default_auction
WHERE ($1::bigint IS NULL OR $1 = ANY (bidders)) AND liquidation_id < $2
ORDER BY liquidation_id DESC LIMIT $3;

-- name: bidders_said
-- How many lots each bidder has answered: what it said stays sealed.
SELECT account_idx, count(DISTINCT lot_no) FROM default_bid
WHERE liquidation_id = $1 GROUP BY account_idx;

-- name: result
SELECT digest, body FROM default_auction_result WHERE liquidation_id = $1;

-- name: public_moves
SELECT m.seq, m.receiver_idx, symbol,
    m.qty_lots * (CASE m.side WHEN 1 THEN 1 ELSE -1 END) AS qty_lots, m.price_ticks
FROM position_move AS m JOIN contract USING (contract_idx)
WHERE m.liquidation_id = $1 AND m.reason = 4 ORDER BY m.seq;

-- name: changed
-- Auctions that are open, and those that changed since $1.
SELECT * FROM default_auction
WHERE updated_ns >= $1 OR status IN ('open', 'closing', 'closed') ORDER BY liquidation_id;
