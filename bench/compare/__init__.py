"""Comparison: records of two or more sides to a `Comparison` document. Pure.

`sides` picks the records of each side, `cells` pairs their cells and `comparable` says which may be compared.
`evidence` has the values of a metric and how sure its change is, `change` its verdict, `gates` whether a
limit holds, `stopping_rule` when a comparison in alternation may end. `compare` puts the document together.
Reasons are typed (`records/comparison_reasons`); `wording/comparison` makes their sentences.
"""
