"""A seeded market that misbehaves: it drives the engine, the oracle and the mirror together.

`python -m tests.sim --seed 7 --commands 20000` repeats a run exactly.
"""
