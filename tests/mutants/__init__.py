"""Planted bugs: `make mutants` puts each into a copy of the tree and wants the tests that it names to turn red.

A mutant is a patch in this folder. What stands before the patch tells a person which mistake it is (`Bug:`) and the
runner which tests must notice (`Red:`, words for pytest). `make test` only asks whether every patch still fits.
"""
