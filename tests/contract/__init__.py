"""One suite per port, run over the twin and over the real adapter."""
