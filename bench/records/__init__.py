"""The record: its schema, its canonical form, and how it reaches the disk."""
