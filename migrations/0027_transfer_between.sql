-- Cash from one account of a member to another: amount below zero, and who receives it.
-- migrate:up
-- No row has a receiver yet.
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE transfer_request
    ADD COLUMN to_account_idx bigint,
    ADD CHECK (
        to_account_idx IS NULL OR (to_account_idx <> account_idx AND amount_usd_micros < 0)
    );
GRANT SELECT ON transfer_request TO wellhead_app;
