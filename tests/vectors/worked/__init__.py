"""Worked examples of our own."""
