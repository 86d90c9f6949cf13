-- Receipts pledged as cover: found without reading the whole chain.
-- migrate:up
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX cdr_receipt_pledged ON cdr_receipt (receipt_id)
    WHERE status IN ('pledged', 'releasing');
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX cdr_event_covering ON cdr_event (((body::jsonb ->> 'holder_idx')::bigint))
    WHERE kind = 'covering';
