"""Apps the functions host is tested with."""
