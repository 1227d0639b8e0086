"""Tagback: the package that is deployed. Layers are described in docs/decisions.md and held by tests/test_architecture.py."""
