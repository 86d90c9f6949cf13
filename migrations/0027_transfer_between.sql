-- Cash from one account of a member to another: amount below zero, and who receives it.
-- migrate:up
ALTER TABLE transfer_request
    ADD COLUMN to_account_idx bigint CHECK (to_account_idx <> account_idx AND amount_usd_micros < 0);
GRANT SELECT ON transfer_request TO wellhead_app;
