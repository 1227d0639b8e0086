"""The tagback command."""
