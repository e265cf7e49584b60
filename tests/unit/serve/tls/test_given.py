"""A certificate that is brought along is refused where it can't be right; where the clock is in doubt, that is said."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from edgekit.errors import ConfigError
from edgekit.machine.moment import RELEASED
from edgekit.serve.tls.certificates import server_context
from edgekit.serve.tls.clock import now
from edgekit.serve.tls.given import check_given
from tests.unit.serve.tls.conftest import at

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Given:
    """A self-signed certificate and its key, in the files that are given."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "ward.crt", folder / "ward.key"
        self.private: Key = ec.generate_private_key(ec.SECP384R1())
        self.write()
        self.write_key()

    def write(self, begins: datetime | None = None, ends: datetime | None = None, *names: str) -> None:
        title = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "ward7")])
        builder = (
            x509.CertificateBuilder()
            .subject_name(title)
            .issuer_name(title)
            .public_key(self.private.public_key())
            .serial_number(1)
            .not_valid_before(begins or now() - timedelta(days=1))
            .not_valid_after(ends or now() + timedelta(days=30))
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(map(x509.DNSName, names)), critical=False)
        certificate = builder.sign(self.private, hashes.SHA256())
        self.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))

    def write_key(self, encryption: KeySerializationEncryption | None = None) -> None:
        text = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
        self.key.write_bytes(text)
        self.key.chmod(0o600)


@pytest.fixture
def given(tmp_path: Path) -> Given:
    return Given(tmp_path)


def test_a_good_one_is_told_by_its_names_and_dates(given: Given) -> None:
    given.write(None, None, "ward7.example", "ward7")
    checked = check_given(given.certificate, given.key, now())
    assert checked.names == ("ward7.example", "ward7")
    assert checked.warnings == ()
    assert checked.begins < now() < checked.ends
    server_context(given.certificate, given.key)


def test_a_chain_follows_the_certificate_and_other_keys_are_taken(given: Given, tmp_path: Path) -> None:
    chain = given.certificate.read_bytes()
    given.private = rsa.generate_private_key(65537, 2048)
    given.write(None, None, "ward7.example")
    given.write_key()
    given.certificate.write_bytes(given.certificate.read_bytes() + chain)
    assert check_given(given.certificate, given.key, now()).names == ("ward7.example",)


def test_a_key_of_another_is_refused(given: Given, tmp_path: Path) -> None:
    other = Given(tmp_path)
    other.private = ec.generate_private_key(ec.SECP256R1())
    other.write_key()
    with pytest.raises(ConfigError, match="is not the key of"):
        check_given(given.certificate, other.key, now())


def test_a_passphrase_is_refused_and_not_asked_for(given: Given) -> None:
    given.write_key(BestAvailableEncryption(b"secret"))
    with pytest.raises(ConfigError, match="passphrase") as caught:
        check_given(given.certificate, given.key, now())
    assert "openssl pkey" in caught.value.hint


def test_what_is_something_else_is_refused(given: Given, tmp_path: Path) -> None:
    swapped = [(given.key, given.key, "no certificate"), (given.certificate, given.certificate, "no private key")]
    missing = [(tmp_path / "none", given.key, "can't be read"), (given.certificate, tmp_path, "can't be read")]
    for certificate, key, words in swapped + missing:
        with pytest.raises(ConfigError, match=words):
            check_given(certificate, key, now())


def test_one_that_expired_for_certain_is_refused(given: Given) -> None:
    given.write(at("2020-01-01"), at("2021-01-01"), "ward7")
    for clock in (now(), at("1970-01-01")):
        with pytest.raises(ConfigError, match="expired on 2021-01-01"):
            check_given(given.certificate, given.key, clock)


def test_what_hangs_on_a_wrong_clock_is_a_warning(given: Given) -> None:
    given.write(RELEASED - timedelta(days=30), RELEASED + timedelta(days=30), "ward7")
    (warning,) = check_given(given.certificate, given.key, at("1970-01-01")).warnings
    assert "the clock says 1970-01-01" in warning
    given.write(RELEASED + timedelta(days=5), RELEASED + timedelta(days=30), "ward7")
    (warning,) = check_given(given.certificate, given.key, RELEASED).warnings
    assert "is valid from" in warning
    with pytest.raises(ConfigError, match="expired"):
        check_given(given.certificate, given.key, RELEASED + timedelta(days=31))


def test_no_names_and_an_open_key_are_warnings(given: Given) -> None:
    given.key.chmod(0o644)
    names, key = check_given(given.certificate, given.key, now()).warnings
    assert "subjectAltName" in names
    assert "read by everybody" in key


def test_files_that_are_exchanged_are_told_in_our_words(given: Given) -> None:
    for pair, words in (((given.key, given.key), "BEGIN CERTIFICATE"), ((given.certificate, given.certificate), "KEY")):
        with pytest.raises(ConfigError, match="in PEM") as caught:
            check_given(*pair, now())
        assert words in caught.value.hint
        assert "http" not in str(caught.value)
