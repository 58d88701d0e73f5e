"""A comparison, for people: one view, and the formats that show it."""
