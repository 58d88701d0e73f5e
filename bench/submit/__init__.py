"""From a record to a signed bundle: judged, described, written to a folder or a branch, or sent away."""
