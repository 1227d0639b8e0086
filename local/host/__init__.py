"""A host for Azure Functions apps in Python (v2 model) that needs nothing but this machine and Azurite."""
