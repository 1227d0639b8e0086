"""The authority behind tokens: signs them with its RSA key, publishes the key, and knows who has which app role.

Used by the identity routes. The key is made when the first token is asked for, one per process: whoever holds an older
token finds its key gone, as after a roll-over of Entra's keys.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local.simulator.answers import Document

EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key with the name under which it is published."""

    private: rsa.RSAPrivateKey
    name: str

    def sign(self, claims: Document) -> str:
        """Return the claims as a signed token (RS256)."""
        head = _part({"typ": "JWT", "alg": "RS256", "x5t": self.name, "kid": self.name})
        signed = f"{head}.{_part(claims)}"
        signature = self.private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_text(signature)}"

    def published(self) -> Document:
        """Return the public half as a JSON web key."""
        numbers = self.private.public_key().public_numbers()
        names = {"kty": "RSA", "use": "sig", "kid": self.name, "x5t": self.name}
        return {**names, "n": _number(numbers.n), "e": _number(numbers.e)}


@lru_cache(maxsize=1)
def key() -> Key:
    """Return this process's key."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    modulus = private.public_key().public_numbers().n
    return Key(private, _text(hashlib.sha256(str(modulus).encode()).digest()[:20]))


@dataclass(slots=True)
class AppRoles:
    """Which principal has which role of which application: what Entra puts into the claim `roles`."""

    _given: set[tuple[str, str, str]] = field(default_factory=set)

    def give(self, audience: str, role: str, principal: str) -> None:
        self._given.add((audience.rstrip("/"), principal, role))

    def of(self, audience: str, principal: str) -> list[str]:
        who = (principal, EVERYBODY)
        return sorted({role for app, one, role in self._given if app == audience.rstrip("/") and one in who})


def _part(document: Document) -> str:
    return _text(json.dumps(document).encode())


def _number(number: int) -> str:
    return _text(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
