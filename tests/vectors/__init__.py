"""Runs cases written down elsewhere: inputs and outcomes of public suites and rule books.

`python -m tests.vectors DIR` runs every case under a folder through the real
engine and prints `N passed, M failed, K skipped`. A case that asks for something
this exchange does not have is skipped with a reason, never passed.
"""
