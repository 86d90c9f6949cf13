-- Numbers of gateways: a new one at each start of one, never used again.
-- migrate:up
CREATE SEQUENCE origin_id MINVALUE 1;
GRANT USAGE ON SEQUENCE origin_id TO wellhead_app;
