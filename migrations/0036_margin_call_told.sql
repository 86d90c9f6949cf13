-- Whoever shows margin calls hears of each change at once.
-- migrate:up
CREATE FUNCTION tell_margin_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wellhead_margin_call', NEW.account_idx::text);
    RETURN NULL;
END $$;
CREATE TRIGGER margin_call_told AFTER INSERT OR UPDATE ON margin_call
    FOR EACH ROW EXECUTE FUNCTION tell_margin_call();
