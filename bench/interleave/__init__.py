"""Alternation: two installed builds and a number of rounds to pairs of records.

`builds` runs each build in a process of its own, `turns` lets two of them alternate by generation, and
`pairs` keeps the order and what is complete. `compare` makes a document of the pairs.
"""
