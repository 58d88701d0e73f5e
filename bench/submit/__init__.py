"""From a record to a signed bundle: judged, described, written to a folder or to a branch of a repository."""
