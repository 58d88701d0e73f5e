"""Check documents: one or many records of one model on one card become one `Check`.

In: records, or their summaries from the index of a folder (`index`, SQLite). Out: a `Check`, the same for
any order of the records. `summarise` reads a record, `rows`, `lines` and `verdict` merge its parts,
`document` puts them together, `group` says which records belong together. `docs/check.md` has the rules.
"""
