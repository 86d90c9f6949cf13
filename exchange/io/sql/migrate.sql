-- Run as the owner of the database.

-- name: lock
SELECT pg_advisory_lock(7214502331)

-- name: role_exists
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)

-- name: role_usable
SELECT pg_has_role(current_user, $1, 'MEMBER')

-- name: create_role
CREATE ROLE wellhead_app LOGIN

-- name: grant_role
GRANT wellhead_app TO CURRENT_USER

-- name: current_user
SELECT current_user

-- name: create_table
CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY)

-- name: applied
SELECT version FROM schema_migrations

-- name: set_timeouts
SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '10min'

-- name: record
INSERT INTO schema_migrations (version) VALUES ($1)
