"""Restores over real storage and the simulator: the same contents, whatever the mode, the disks and the place."""
