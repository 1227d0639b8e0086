"""The storage emulator of the local stack: Azurite from npm, unmodified, under a clock that can be moved ahead."""
