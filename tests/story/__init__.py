"""One quarter of a NeoCloud and a lab, from the plan to the last micro-dollar; `python -m`."""
