"""The simulator held to recorded sessions and to its contract."""
