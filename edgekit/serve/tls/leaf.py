"""The certificate that a device shows to its callers: signed by its own authority, short, and for all its names.

What Apple asks of every server's certificate (support.apple.com/103769) is kept: an EC key, names in the extension made
for them, for servers, a life under 825 days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edgekit.files import write_bytes
from edgekit.serve.tls.authority import EARLIER, Authority
from edgekit.serve.tls.names import Names
from edgekit.serve.tls.pem import Pair, key_usage, read_pair, to_pem


@dataclass(frozen=True)
class Leaf(Pair):
    """A leaf is the certificate of a server."""

    @property
    def names(self) -> Names:
        """What it is for."""
        return names_of(self.certificate)

    def is_of(self, authority: Authority) -> bool:
        """Say whether ``authority`` has signed it."""
        try:
            self.certificate.verify_directly_issued_by(authority.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True


def names_of(certificate: x509.Certificate) -> Names:
    """Return what a certificate is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return Names()
    addresses = names.get_values_for_type(x509.IPAddress)
    return Names(tuple(names.get_values_for_type(x509.DNSName)), tuple(map(ip_network, addresses)))


def make_leaf(authority: Authority, names: Names, begins: datetime, days: int) -> Leaf:
    """Make a certificate for names and single addresses, of ``days`` and within its authority's life."""
    key = ec.generate_private_key(ec.SECP256R1())
    start = max(begins - EARLIER, authority.begins)
    addresses = (x509.IPAddress(network.network_address) for network in names.networks)
    issuer = authority.certificate
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names.words()[0][:64])]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(min(start + timedelta(days=days), authority.ends))
        .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, names.dns), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)  # type: ignore[arg-type]
        .sign(authority.key, hashes.SHA256())
    )
    return Leaf(certificate, key)


def leaf_file(folder: Path) -> Path:
    """Return the file of the certificate and its key."""
    return folder / "leaf.pem"


def write_leaf(folder: Path, leaf: Leaf) -> None:
    """Write a certificate and its key at once, so that no crash parts them."""
    write_bytes(leaf_file(folder), to_pem(leaf), mode=0o600)


def read_leaf(folder: Path) -> Leaf | None:
    """Read the certificate of a folder as :func:`~edgekit.serve.tls.pem.read_pair` does."""
    return read_pair(leaf_file(folder), Leaf)
