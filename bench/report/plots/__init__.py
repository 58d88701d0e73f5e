"""Interactive plots of a page: Vega-Lite specs from a view, and the scripts that draw them offline."""
