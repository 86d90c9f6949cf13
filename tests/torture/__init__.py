"""Torture: the whole exchange as processes, clients that remember, and kills at random instants.

`record` is what clients were told, `truth` what the journal says, `checks` hold one against the
other and both against what the API shows. `python -m tests.torture` runs it for as long as asked.
"""
