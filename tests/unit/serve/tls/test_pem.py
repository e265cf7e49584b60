"""A certificate and its key are read together, or said to be damaged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edgekit.errors import ConfigError
from edgekit.serve.tls.authority import make_authority
from edgekit.serve.tls.clock import now
from edgekit.serve.tls.names import Names
from edgekit.serve.tls.pem import Pair, key_usage, read_pair, to_pem


@pytest.fixture
def pair(ward: Names) -> Pair:
    return make_authority(ward, now())


def _private(path: Path, text: bytes) -> Path:
    path.write_bytes(text)
    path.chmod(0o600)
    return path


def test_what_was_written_is_read(tmp_path: Path, pair: Pair) -> None:
    again = read_pair(_private(tmp_path / "pair.pem", to_pem(pair)), Pair)
    assert again
    assert again.certificate == pair.certificate
    assert again.key.private_numbers() == pair.key.private_numbers()
    assert (again.begins, again.ends) == (pair.begins, pair.ends)
    assert read_pair(tmp_path / "none.pem", Pair) is None


def test_damage_is_told(tmp_path: Path, pair: Pair, ward: Names) -> None:
    whole = to_pem(pair)
    certificate = to_pem(pair, key=False)
    key, other = whole[len(certificate) :], to_pem(make_authority(ward, now()))[len(certificate) :]
    for text in (b"", whole[:100], whole[:-40], certificate, key, certificate + other):
        with pytest.raises(ConfigError, match="damaged"):
            read_pair(_private(tmp_path / "pair.pem", text), Pair)
    with pytest.raises(ConfigError, match="can't be read"):
        read_pair(tmp_path, Pair)


def test_a_key_that_is_open_to_others_is_refused(tmp_path: Path, pair: Pair) -> None:
    path = _private(tmp_path / "pair.pem", to_pem(pair))
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="mode 640") as caught:
        read_pair(path, Pair)
    subprocess.run(caught.value.hint.removeprefix("Run: "), shell=True, check=True)
    assert read_pair(path, Pair)


def test_a_key_is_used_for_what_is_named_alone() -> None:
    usage = key_usage("digital_signature")
    assert usage.digital_signature
    assert not usage.key_cert_sign
    assert not usage.key_agreement
