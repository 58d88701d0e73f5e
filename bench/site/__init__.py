"""The static site of a folder of records: what can be believed of each, pages, data.

In: a folder of records and bundles. Out: files for any static host, the same bytes for the same folder.
`interface` has the types between reading and pages. `docs/site.md` has the rules.
"""
