"""The rule book in plain Python: lists, dictionaries, sums from scratch.

It exists to be compared with the kernels, so it shares no code with them and is
slow on purpose. Only the records and the codes are common.
"""
