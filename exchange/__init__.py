"""The exchange around the core: rules, what touches the world, and the loops."""
