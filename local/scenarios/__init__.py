"""Scenarios of the demo as data: machines, and what happens to them at which virtual time."""
