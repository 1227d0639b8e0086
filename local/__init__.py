"""Stand-ins for one machine: simulator, functions host, Azurite, clock. Never deployed."""
