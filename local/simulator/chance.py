"""Everything that looks random: identifiers and durations, hashed so that the same calls give the same answers.

Used by every provider; nothing here reads a clock or the machine's entropy.
"""

import hashlib


class Chance:
    """Hash-derived draws of one seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._count = 0

    def guid(self) -> str:
        """Return a new identifier, unlike all before it."""
        self._count += 1
        return self.guid_of(str(self._count))

    def guid_of(self, name: str) -> str:
        """Return the identifier that always belongs to this name."""
        digest = hashlib.blake2b(name.encode(), digest_size=16, key=self._seed[:64]).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"

    def share(self, name: str) -> float:
        """Return a number in [0, 1) that always belongs to this name."""
        digest = hashlib.blake2b(name.encode(), digest_size=8, key=self._seed[:64]).digest()
        return int.from_bytes(digest, "big") / 2**64
