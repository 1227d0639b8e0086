"""The server's certificates: a small authority and one certificate for localhost, valid over any virtual time."""

import ipaddress
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Virtual time jumps by years; a certificate made for today would expire under the demo.
BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
FILES = ("ca.pem", "server.pem", "server.key")


def ensure(directory: Path) -> tuple[Path, Path]:
    """Return certificate and key, making them where they are missing."""
    directory.mkdir(parents=True, exist_ok=True)
    authority, certificate, key = (directory / name for name in FILES)
    if not all(path.exists() for path in (authority, certificate, key)):
        _make(authority, certificate, key)
    return certificate, key


def _make(authority: Path, certificate: Path, key: Path) -> None:
    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simulator test authority")])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    server = (
        _builder(name, ca_name, server_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    authority.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    key.touch(mode=0o600)
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key.write_bytes(server_key.private_bytes(serialization.Encoding.PEM, *private))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(END)
    )
