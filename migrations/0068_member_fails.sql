-- A limit over all clients of a member; what clients of a member that fails, and members that are asked
-- to take them, are told; and notices as an event of webhooks.
-- migrate:up
ALTER TABLE account_credit
ADD COLUMN clients_margin_max_usd_micros bigint NOT NULL DEFAULT 0;
ALTER TABLE account_credit
ADD CONSTRAINT account_credit_clients_check
CHECK (clients_margin_max_usd_micros >= 0 AND (member_idx IS NULL OR clients_margin_max_usd_micros = 0))
NOT VALID;
COMMENT ON COLUMN account_credit.clients_margin_max_usd_micros IS
'of a member: initial margin of all its clients together, said by an operator; 0: no limit';

-- What is stored held the narrower constraint: nothing of it is looked at again.
-- squawk-ignore ban-drop-constraint
ALTER TABLE notice DROP CONSTRAINT notice_kind_check;
ALTER TABLE notice ADD CONSTRAINT notice_kind_check CHECK (kind IN (
    'accountability', 'restrained', 'released', 'fund_call', 'fund_reminder',
    'member_failed', 'port_offer', 'port_proposed', 'ported', 'closing_out'
)) NOT VALID;

CREATE FUNCTION note_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO webhook_note (event, account_idx, body)
    SELECT 'notice', NEW.account_idx, to_jsonb(NEW) WHERE webhook_wanted(NEW.account_idx, 'notice');
    RETURN NULL;
END $$;
CREATE TRIGGER webhook_noted AFTER INSERT ON notice FOR EACH ROW EXECUTE FUNCTION note_notice();
