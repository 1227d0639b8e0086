"""Adapters: the only importers of azure.* clients and tenacity. Each implements a port of shared/ports."""
