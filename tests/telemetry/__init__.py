"""What an installation tells of itself."""
