"""The HTTP API: routes and encoding, no decisions."""
