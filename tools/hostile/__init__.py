"""Hostile records: good ones, each with one edit that the validator must find.

`case` and `edits` are what a case is made of, `bases` the good records; `of_figures`, `of_claims` and
`of_files` the cases. `python -m tools.hostile` writes them.
"""
