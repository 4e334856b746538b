"""A local server that behaves like RunningHub's API and makes real, visibly marked results.

It shares the schemas and the catalogue with the client, never code: a mistake in one of the two then shows.
"""
