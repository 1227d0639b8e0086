"""Tests of shared/decide."""
