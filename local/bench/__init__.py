"""Measures, for `make bench`: each module prints a table and can be run by hand."""
