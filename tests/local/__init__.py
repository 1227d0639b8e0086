"""Tests of the local stack: its clock, its storage emulator, and how its parts start and stop."""
