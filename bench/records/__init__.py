"""The documents of `bench`: records, check documents, comparisons, with typed reasons and metrics. Pure.

In: nothing but values. Out: frozen models with their JSON schema (`record`, `check`, `comparison`,
`prediction`), one table of metrics (`metrics`), and the reasons of outcomes and verdicts (`reasons`), which
`wording` turns into English.
"""
