"""A certificate with its key, in one private file."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edgekit.errors import ConfigError

P = TypeVar("P", bound="Pair")


@dataclass(frozen=True)
class Pair:
    """A pair is a certificate and the key that belongs to it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def begins(self) -> datetime:
        """When it begins to be valid."""
        return self.certificate.not_valid_before_utc

    @property
    def ends(self) -> datetime:
        """When it is no longer valid."""
        return self.certificate.not_valid_after_utc


def key_usage(*uses: str) -> x509.KeyUsage:
    """Return what a key may be used for: these of RFC 5280's names (4.2.1.3), and nothing else."""
    signing = ("digital_signature", "content_commitment", "key_cert_sign", "crl_sign")
    agreeing = ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{use: use in uses for use in (*signing, *agreeing)})


def to_pem(pair: Pair, *, key: bool = True) -> bytes:
    """Return a certificate in PEM, followed by its key unless without ``key``."""
    text = pair.certificate.public_bytes(serialization.Encoding.PEM)
    if key:
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        text += pair.key.private_bytes(*form)
    return text


def read_pair(path: Path, cls: type[P]) -> P | None:
    """Read a certificate with its key as ``cls``; None where there is no such file.

    :class:`~edgekit.errors.ConfigError` where the two are damaged, don't belong together, or can be read by others.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}", "Check its permissions.") from None
    if mode & 0o077:
        hint = f"Run: chmod 600 {shlex.quote(str(path))}"
        raise ConfigError(f"{path} holds a key and is not its owner's alone (mode {mode & 0o777:o})", hint)
    try:
        certificate = x509.load_pem_x509_certificate(text)
        key = serialization.load_pem_private_key(text[text.index(b"-----BEGIN PRIVATE KEY") :], None)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path} is damaged: {error}", "Run: edgekit tls make --force") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ConfigError(f"{path} is damaged: its key is not its certificate's", "Run: edgekit tls make --force")
    return cls(certificate, key)
