"""Where weights come from: the Hub, a directory, random values of the right shapes, or a tiny model."""
