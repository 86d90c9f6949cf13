-- The add-ons that belong to a set of scenarios, as they were published with it.
-- migrate:up
CREATE TABLE scenario_addons (
    set_id      bigint PRIMARY KEY REFERENCES scenario_set,
    addons_hash text NOT NULL CHECK (addons_hash ~ '^[0-9a-f]{32}$'),
    document    jsonb NOT NULL,
    built_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE scenario_addons IS
    'one row a set, the first that was made: a set that is built again keeps its add-ons';
COMMENT ON COLUMN scenario_addons.document IS
    'what was known of each contract''s market, and the add-ons that follow from it';

GRANT SELECT, INSERT ON scenario_addons TO wellhead_app;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON scenario_addons
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE scenario_addons ENABLE ALWAYS TRIGGER append_only;
