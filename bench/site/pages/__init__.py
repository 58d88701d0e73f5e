"""The pages of the site, as text: pure functions from the types of `bench.site.interface`."""
