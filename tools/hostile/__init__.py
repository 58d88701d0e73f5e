"""Hostile records and bundles: good ones, each with one edit that the validator must find.

`case` and `edits` are what a case is made of, `bases` the good records; `of_figures`, `of_claims`,
`of_challenges`, `of_files` and `of_bundles` the cases. `python -m tools.hostile` writes them.
"""
