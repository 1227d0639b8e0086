"""Replays sessions recorded between real clients and Azure against the simulator and scores how alike it answers."""
