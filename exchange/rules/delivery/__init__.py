"""Physical delivery: receipts for GPU-hours, their metering, and proofs of what is on record."""
