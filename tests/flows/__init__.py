"""Tests of shared/flows."""
