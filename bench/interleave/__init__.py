"""Two builds of bench in alternation: environments in, pairs of records out."""
