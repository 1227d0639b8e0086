"""Tests of the functions host; the apps it runs are in `apps/`."""
