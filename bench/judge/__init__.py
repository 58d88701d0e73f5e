"""From a record to what a person wants to know. Pure: no torch, no clock, no network."""
