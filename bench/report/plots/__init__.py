"""Interactive plots of the page: Vega-Lite specs from a view, and what draws them without a network."""
