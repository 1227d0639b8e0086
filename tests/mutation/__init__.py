"""Mutation testing of shared/decide: `make mutation`."""
