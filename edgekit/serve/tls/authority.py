"""A device's own certificate authority: what people's phones are told to trust, and can trust with no more than that.

It is bound by name constraints (RFC 5280, 4.2.1.10) to the device's names and addresses: whoever steals its key can
pretend to be this device, and no other. Its certificate and key lie in one private file, so that no crash leaves one
without the other; ``ca.crt`` is the certificate alone, to hand out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edgekit.errors import ConfigError
from edgekit.files import write_bytes
from edgekit.machine.moment import RELEASED
from edgekit.serve.tls.names import Names
from edgekit.serve.tls.pem import Pair, key_usage, read_pair, to_pem

_LIFE = timedelta(days=3652)
EARLIER = timedelta(hours=1)
"""How much before its making a certificate begins: the clock of whoever looks at it may be a little late."""


@dataclass(frozen=True)
class Authority(Pair):
    """An authority signs the certificates of one device."""

    @property
    def names(self) -> Names:
        """What it may sign certificates for, and all below."""
        constraints = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        permitted = constraints.permitted_subtrees or []
        return Names(
            tuple(name.value for name in permitted if isinstance(name, x509.DNSName)),
            tuple(name.value for name in permitted if isinstance(name.value, IPv4Network | IPv6Network)),
        )

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its certificate, as phones and browsers show it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def earliest(self) -> datetime:
        """The earliest that it can be: EdgeKit was released, and this authority was made."""
        return max(RELEASED, self.begins)


def make_authority(names: Names, clock: datetime) -> Authority:
    """Make an authority for ``names``, which lasts ten years from ``clock``, or from EdgeKit's release where that is
    later."""
    key = ec.generate_private_key(ec.SECP256R1())
    begins = max(clock, RELEASED)
    title = f"EdgeKit on {names.words()[0][:40]}, {begins:%Y-%m-%d}"  # 64 characters are allowed
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    permitted = [*map(x509.DNSName, names.dns), *map(x509.IPAddress, names.networks)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - EARLIER)
        .not_valid_after(begins + _LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def public_file(folder: Path) -> Path:
    """Return the file to hand out: the authority's certificate."""
    return folder / "ca.crt"


def private_file(folder: Path) -> Path:
    """Return the file that nobody else may have: the authority's certificate and its key."""
    return folder / "authority.pem"


def write_authority(folder: Path, authority: Authority) -> None:
    """Write an authority, the file to hand out last: it follows from the other."""
    write_bytes(private_file(folder), to_pem(authority), mode=0o600)
    write_bytes(public_file(folder), to_pem(authority, key=False))


def read_authority(folder: Path) -> Authority | None:
    """Read the authority of a folder; None where there is none.

    :class:`~edgekit.errors.ConfigError` where it is damaged or not its owner's alone.
    """
    path = private_file(folder)
    authority = read_pair(path, Authority)
    if authority is None:
        return None
    try:
        authority.names  # noqa: B018
    except x509.ExtensionNotFound:
        raise ConfigError(f"{path} has no name constraints", "Run: edgekit tls make --force") from None
    return authority


def is_handed_out(folder: Path, authority: Authority) -> bool:
    """Say whether the file to hand out is this authority's; a crash while both were written leaves the one before."""
    file = public_file(folder)
    return file.is_file() and file.read_bytes() == to_pem(authority, key=False)
