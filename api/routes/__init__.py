"""Routes: each parses, sends, answers."""
