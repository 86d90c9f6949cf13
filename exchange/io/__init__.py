"""Everything that touches the world: Postgres, Redis, the clock."""
