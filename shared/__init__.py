"""Tagback: the package that is deployed. tests/test_architecture.py holds its layers apart."""
