"""An app for the tests of the functions host."""
