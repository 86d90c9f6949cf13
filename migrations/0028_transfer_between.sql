-- Cash from one account of a member to another: amount below zero, and who receives it.
-- migrate:up
ALTER TABLE transfer_request ADD COLUMN to_account_idx bigint;
-- No row has a receiver yet: nothing of what is stored is looked at.
ALTER TABLE transfer_request ADD CONSTRAINT transfer_request_receiver CHECK (
    to_account_idx IS NULL OR (to_account_idx <> account_idx AND amount_usd_micros < 0)
) NOT VALID;
