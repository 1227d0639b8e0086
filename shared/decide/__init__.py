"""Pure decisions: values in, a verdict with its reason out. No clock, no I/O, no logging."""
