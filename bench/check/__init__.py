"""Records of one model on one card become one check document. Pure, and in no order of the records.

`docs/check.md` has the rules for those who read the result.
"""
