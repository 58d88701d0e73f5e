"""Who signs: the key of this user, and the signatures of bundles.

securesystemslib and cryptography are imported where they are used.
"""
