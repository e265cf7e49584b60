"""A certificate that the site brings along, looked at before the service shows it to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edgekit.errors import ConfigError
from edgekit.machine.moment import RELEASED
from edgekit.serve.tls.leaf import names_of


@dataclass(frozen=True)
class GivenCertificate:
    """A given certificate can be served: what it is for, until when, and what is to be said of it."""

    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    warnings: tuple[str, ...]


def check_given(certificate: Path, key: Path, clock: datetime) -> GivenCertificate:
    """Look at a certificate and its key, both in PEM; what follows the first certificate is its chain.

    :class:`~edgekit.errors.ConfigError` where one can't be read, the key is another's or has a passphrase, or the
    certificate has expired for certain. What hangs on a clock that may be wrong is a warning.
    """
    first = _certificate(certificate)
    if _key(key) != first.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
        raise ConfigError(f"{key} is not the key of {certificate}", "Give the two that were made together.")
    begins, ends = first.not_valid_before_utc, first.not_valid_after_utc
    if ends < max(clock, RELEASED):
        raise ConfigError(f"{certificate} expired on {ends:%Y-%m-%d}", "Have it renewed by whoever issued it.")
    names, warnings = names_of(first).words(), list[str]()
    if clock < max(RELEASED, begins):
        dates = f"is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}"
        warnings.append(f"{certificate} {dates}, and the clock says {clock:%Y-%m-%d}: one of them is wrong.")
    if not names:
        warnings.append(f"{certificate} names no host in its subjectAltName: clients of today refuse it.")
    if key.stat().st_mode & 0o007:
        warnings.append(f"{key} can be read by everybody on this machine.")
    return GivenCertificate(names, begins, ends, tuple(warnings))


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(_read(path))[0]
    except ValueError:  # whose text is a link to the library's questions and answers
        hint = "Give the file with -----BEGIN CERTIFICATE----- in it; the key is --key's."
        raise ConfigError(f"{path} is no certificate in PEM", hint) from None


def _key(path: Path) -> bytes:
    """The public half of a private key."""
    text = _read(path)
    try:
        key = serialization.load_pem_private_key(text, None)
    except TypeError:
        hint = "A service that starts by itself can't type it: openssl pkey -in KEY -out NEW, and chmod 600 NEW"
        raise ConfigError(f"{path} has a passphrase", hint) from None
    except (ValueError, UnsupportedAlgorithm):
        hint = "Give the file with -----BEGIN PRIVATE KEY----- in it, or the like, that was made with the certificate."
        raise ConfigError(f"{path} is no private key in PEM, or of an unknown kind", hint) from None
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}", "Check the path and its permissions.") from None
