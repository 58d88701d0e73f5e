"""Files on disk: records, journals, canonical form, scrubbing. Everything read is hostile."""
