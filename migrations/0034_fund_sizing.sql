-- The default fund is sized anew when the scenarios are, not only once a day.
-- migrate:up
-- squawk-ignore ban-drop-constraint
ALTER TABLE fund_sizing DROP CONSTRAINT fund_sizing_pkey;
-- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint, adding-serial-primary-key-field
ALTER TABLE fund_sizing ADD CONSTRAINT fund_sizing_pkey PRIMARY KEY (seq);
