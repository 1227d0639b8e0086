"""The command line, run in this process over the twins."""
