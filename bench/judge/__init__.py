"""Rules over one record. Pure: no torch, no clock, no network.

In: a record. Out: its verdict with typed reasons, limits and caveats, the frontier, the comparison of a
prediction with measurements (`calibration`), and the one definition of what two runs have in common
(`same_run`).
"""
