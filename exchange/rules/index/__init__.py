"""The index: what a GPU-hour of a series cost on a UTC day, recomputable from observations alone.

Rules INDX_001 to INDX_016 are in `docs/index.md`, each with the test that holds it.
"""
