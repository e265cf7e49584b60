"""An authority is for its device and for no other: OpenSSL refuses whatever else it signs."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from edgekit.errors import ConfigError
from edgekit.machine.moment import RELEASED
from edgekit.serve.tls.authority import (
    is_handed_out,
    make_authority,
    private_file,
    public_file,
    read_authority,
    write_authority,
)
from edgekit.serve.tls.certificates import server_context
from edgekit.serve.tls.clock import now
from edgekit.serve.tls.leaf import leaf_file, make_leaf, write_leaf
from edgekit.serve.tls.names import Names, parse_names
from tests.unit.serve.tls.conftest import Serve, at

Connect = Callable[[int, Path, str], bytes]


@pytest.mark.parametrize("name", ["ward7", "ward7.local", "localhost", "127.0.0.1", "::1", "10.0.4.7"])
def test_who_trusts_it_verifies_the_device_by_every_name(
    tmp_path: Path, ward: Names, name: str, serve: Serve, connect: Connect
) -> None:
    authority = make_authority(ward, now())
    write_authority(tmp_path, authority)
    write_leaf(tmp_path, make_leaf(authority, ward, now(), 90))
    port = serve(server_context(leaf_file(tmp_path)))
    connect(port, public_file(tmp_path), name)
    for other in ("ward8", "local", "10.0.4.8"):
        with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
            connect(port, public_file(tmp_path), other)


@pytest.mark.parametrize("name", ["ward8", "hospital.example", "local", "10.0.4.8", "fd00::8"])
def test_what_it_signs_for_another_is_refused(
    tmp_path: Path, ward: Names, name: str, serve: Serve, connect: Connect
) -> None:
    authority = make_authority(ward, now())
    write_authority(tmp_path, authority)
    is_address = name[-1].isdigit() and name != "ward8"
    foreign = parse_names([], [name]) if is_address else parse_names([name], [])
    write_leaf(tmp_path, make_leaf(authority, ward | foreign, now(), 90))
    port = serve(server_context(leaf_file(tmp_path)))
    for asked in (name, "ward7"):
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
            connect(port, public_file(tmp_path), asked)


def test_it_is_an_authority_for_ten_years_and_signs_no_other(ward: Names) -> None:
    certificate = make_authority(ward, now()).certificate
    extensions = certificate.extensions
    basic = extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert (basic.value.ca, basic.value.path_length) == (True, 0)
    assert extensions.get_extension_for_class(x509.NameConstraints).critical
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert not usage.value.digital_signature
    assert certificate.not_valid_after_utc - now() > timedelta(days=3650)
    common_name = certificate.subject.get_attributes_for_oid(x509.oid.NameOID.COMMON_NAME)[0].value
    assert str(common_name).startswith("EdgeKit on ward7, 20")


def test_a_long_name_makes_a_title_that_fits() -> None:
    make_authority(parse_names([".".join(["a" * 60] * 4)], []), now())
    make_authority(parse_names([], ["10.0.4.7"]), now())


def test_it_begins_with_the_release_where_the_clock_is_before(ward: Names) -> None:
    authority = make_authority(ward, at("1970-01-01T00:00:20"))
    assert timedelta() < RELEASED - authority.begins < timedelta(days=1)
    assert authority.earliest == RELEASED
    later = RELEASED + timedelta(days=100)
    assert later - timedelta(days=1) < make_authority(ward, later).earliest < later


def test_it_is_read_as_it_was_written(tmp_path: Path, ward: Names) -> None:
    assert read_authority(tmp_path) is None
    authority = make_authority(ward, now())
    write_authority(tmp_path, authority)
    again = read_authority(tmp_path)
    assert again
    assert again.certificate == authority.certificate
    assert again.names == ward
    expected = authority.certificate.fingerprint(hashes.SHA256())
    assert bytes.fromhex(again.fingerprint.replace(":", "")) == expected
    assert private_file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in public_file(tmp_path).read_bytes()
    assert is_handed_out(tmp_path, authority)


def test_a_file_to_hand_out_that_is_anothers_is_seen(tmp_path: Path, ward: Names) -> None:
    authority = make_authority(ward, now())
    write_authority(tmp_path, authority)
    public_file(tmp_path).write_bytes(b"another's")
    assert not is_handed_out(tmp_path, authority)
    public_file(tmp_path).unlink()
    assert not is_handed_out(tmp_path, authority)


def test_what_is_no_authority_of_ours_is_refused(tmp_path: Path, ward: Names) -> None:
    authority = make_authority(ward, now())
    write_leaf(tmp_path, make_leaf(authority, ward, now(), 90))
    leaf_file(tmp_path).rename(private_file(tmp_path))
    with pytest.raises(ConfigError, match="no name constraints"):
        read_authority(tmp_path)
