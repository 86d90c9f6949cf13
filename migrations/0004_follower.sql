-- How far each reader of the journal is; changed in the transaction of its work.
-- migrate:up
CREATE TABLE follower (
    name       text PRIMARY KEY,
    last_seq   bigint NOT NULL CHECK (last_seq >= 0),
    updated_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON follower TO wellhead_app;
