"""Holds every exchange with the simulator to Microsoft's OpenAPI documents."""
