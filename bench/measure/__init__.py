"""Clocks, memory and statistics: what watches a generation, and what is made of the numbers."""
