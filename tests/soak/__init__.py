"""What `make test` samples, at full count."""
