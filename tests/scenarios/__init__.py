"""Business rules as tables: who does what, and what must come of it."""
