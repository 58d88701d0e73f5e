"""Reports of a comparison: `view` turns it into words, and each other module shows that in one format."""
