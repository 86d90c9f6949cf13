-- Who may write the journal: whoever raised the epoch last.
-- migrate:up
CREATE TABLE leader (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    bigint NOT NULL,
    holder   text NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO leader (epoch, holder) VALUES (0, 'nobody yet');

-- When the leader was last alive. A table of its own, so that it never waits for a commit.
CREATE TABLE leader_beat (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    bigint NOT NULL,
    seen_at  timestamptz
);
INSERT INTO leader_beat (epoch, seen_at) VALUES (0, NULL);

GRANT SELECT, UPDATE ON leader, leader_beat TO wellhead_app;
