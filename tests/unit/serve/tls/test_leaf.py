"""A leaf is what phones ask of a server's certificate, and its own authority's."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from edgekit.serve.tls.authority import make_authority
from edgekit.serve.tls.clock import now
from edgekit.serve.tls.leaf import leaf_file, make_leaf, names_of, read_leaf, write_leaf
from edgekit.serve.tls.names import Names, parse_names


def test_it_is_what_phones_ask_for(ward: Names) -> None:
    """support.apple.com/103769."""
    leaf = make_leaf(make_authority(ward, now()), ward, now(), 397)
    extensions = leaf.certificate.extensions
    assert leaf.ends - leaf.begins == timedelta(days=397)
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    assert isinstance(leaf.key.curve, ec.SECP256R1)
    assert leaf.names == ward
    assert leaf.begins < now()


def test_it_lies_within_its_authoritys_life(ward: Names) -> None:
    authority = make_authority(ward, now())
    assert make_leaf(authority, ward, authority.begins, 90).begins == authority.begins
    assert make_leaf(authority, ward, authority.ends - timedelta(days=1), 90).ends == authority.ends


def test_it_is_told_whose_it_is(ward: Names) -> None:
    ours, others = make_authority(ward, now()), make_authority(ward, now())
    assert ours.certificate.subject == others.certificate.subject, "names don't tell it"
    leaf = make_leaf(ours, ward, now(), 90)
    assert leaf.is_of(ours)
    assert not leaf.is_of(others)


def test_another_verifier_agrees_on_names_and_times(ward: Names) -> None:
    """cryptography's own path validation, beside OpenSSL's in test_authority.py."""
    authority = make_authority(ward, now())
    policy = PolicyBuilder().store(Store([authority.certificate]))
    leaf = make_leaf(authority, ward, now(), 90)
    verifier = policy.time(now() + timedelta(days=80)).build_server_verifier(x509.DNSName("ward7.local"))
    verifier.verify(leaf.certificate, [])
    late = policy.time(now() + timedelta(days=91)).build_server_verifier(x509.DNSName("ward7.local"))
    with pytest.raises(VerificationError):
        late.verify(leaf.certificate, [])
    foreign = make_leaf(authority, ward | parse_names(["ward8.local"], []), now(), 90)
    with pytest.raises(VerificationError):
        verifier.verify(foreign.certificate, [])


def test_it_is_read_as_it_was_written(tmp_path: Path, ward: Names) -> None:
    assert read_leaf(tmp_path) is None
    authority = make_authority(ward, now())
    leaf = make_leaf(authority, ward, now(), 90)
    write_leaf(tmp_path, leaf)
    again = read_leaf(tmp_path)
    assert again
    assert again.certificate == leaf.certificate
    assert leaf_file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert names_of(authority.certificate) == Names()
