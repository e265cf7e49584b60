"""An authority is kept as long as it does: phones that trust it would lose it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from edgekit.errors import ConfigError, InputError
from edgekit.serve.tls.authority import is_handed_out, private_file, public_file
from edgekit.serve.tls.clock import now
from edgekit.serve.tls.make import make, show, tls_folder
from edgekit.serve.tls.names import Names, parse_names
from tests.unit.serve.tls.conftest import at

NONE = Names()


def test_it_is_made_for_the_device_and_the_given_names(tmp_path: Path, ward: Names) -> None:
    given = parse_names(["ward7.hospital.example"], ["10.0.5.0/24", "192.168.0.9"])
    state = make(tmp_path / "tls", given, now(), device=ward)
    assert state.made == ("authority", "leaf")
    assert state.notes == ()
    assert state.authority.names == ward | given
    assert state.leaf
    assert state.leaf.names == ward | given.single()
    assert show(tmp_path / "tls", now(), ward).document() == state.document() | {"made": []}


def test_what_is_there_is_kept(tmp_path: Path, ward: Names) -> None:
    first = make(tmp_path, NONE, now(), device=ward)
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert make(tmp_path, ward, now(), device=ward).made == ()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files
    later = make(tmp_path, NONE, now() + timedelta(days=70), device=ward)
    assert later.made == ("leaf",)
    assert later.authority.fingerprint == first.authority.fingerprint


def test_names_within_what_it_may_sign_make_a_certificate_and_others_an_error(tmp_path: Path, ward: Names) -> None:
    make(tmp_path, parse_names([], ["10.0.5.0/24"]), now(), device=ward)
    below = make(tmp_path, parse_names(["www.ward7.local"], []), now(), device=ward)
    assert below.made == ("leaf",)
    assert below.leaf
    assert "www.ward7.local" in below.leaf.names.dns
    moved = make(tmp_path, NONE, now(), device=ward | parse_names([], ["10.0.5.3"]))
    assert moved.made == ("leaf",)
    assert moved.leaf
    assert {"www.ward7.local", "10.0.5.3"} <= set(moved.leaf.names.words())
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    addresses = [parse_names([], [address]) for address in ("10.0.6.1", "10.0.0.0/16", "10.0.5.99")]
    for names in (parse_names(["ward8"], []), *addresses):
        with pytest.raises(InputError) as caught:
            make(tmp_path, names, now(), device=ward)
        assert "--force" in caught.value.hint
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files


@pytest.mark.parametrize(
    ("name", "address"), [("", "0.0.0.0/0"), ("", "8.0.0.0/7"), ("", "::/0"), ("", "fc00::/7"), ("local", "")]
)
def test_no_authority_is_made_for_everybodys_names(name: str, address: str, tmp_path: Path, ward: Names) -> None:
    given = parse_names([name] if name else [], [address] if address else [])
    with pytest.raises(InputError, match="every device" if name else "more than one site"):
        make(tmp_path, given, now(), device=ward)
    assert not private_file(tmp_path).exists()


def test_a_sites_whole_network_is_taken(tmp_path: Path, ward: Names) -> None:
    given = parse_names(["ward7.local"], ["10.0.0.0/8", "fd00::/8"])
    assert not given.without(make(tmp_path, given, now(), device=ward).authority.names)


def test_force_makes_it_anew_and_says_what_is_lost(tmp_path: Path, ward: Names) -> None:
    first = make(tmp_path, parse_names(["ward7.example"], []), now(), device=ward)
    second = make(tmp_path, parse_names(["ward8"], []), now(), force=True, device=ward)
    assert second.made == ("authority", "leaf")
    assert second.authority.fingerprint != first.authority.fingerprint
    assert second.leaf
    assert second.leaf.is_of(second.authority)
    assert "trust this one anew" in second.notes[0]
    assert "ward7.example" in second.notes[1]
    assert is_handed_out(tmp_path, second.authority)


def test_a_damaged_one_takes_force(tmp_path: Path, ward: Names) -> None:
    make(tmp_path, NONE, now(), device=ward)
    private_file(tmp_path).write_bytes(b"")
    with pytest.raises(ConfigError, match="damaged") as caught:
        make(tmp_path, NONE, now(), device=ward)
    assert "--force" in caught.value.hint
    assert make(tmp_path, NONE, now(), force=True, device=ward).made == ("authority", "leaf")


def test_a_file_to_hand_out_that_a_crash_left_is_said_and_mended(tmp_path: Path, ward: Names) -> None:
    state = make(tmp_path, NONE, now(), device=ward)
    public_file(tmp_path).write_bytes(b"the one before")
    assert "ca.crt is not this authority's" in " ".join(show(tmp_path, now(), ward).notes)
    assert make(tmp_path, NONE, now(), device=ward).made == ()
    assert is_handed_out(tmp_path, state.authority)


def test_what_is_to_be_said_is_said(tmp_path: Path, ward: Names) -> None:
    with pytest.raises(ConfigError, match="no certificate authority"):
        show(tmp_path, now(), ward)
    made = make(tmp_path, NONE, now(), device=ward).authority

    def notes(clock: object = None, device: Names = ward) -> str:
        return " ".join(show(tmp_path, clock or now(), device).notes)  # type: ignore[arg-type]

    assert notes() == ""
    assert "not for 10.0.9.9, which is this machine now" in notes(device=ward | parse_names([], ["10.0.9.9"]))
    assert "The clock says 1970-01-01" in notes(at("1970-01-01"))
    assert "The authority ends on" in notes(made.ends - timedelta(days=300))
    assert "less than a third" in notes(now() + timedelta(days=70))


def test_the_document_says_no_secret(tmp_path: Path, ward: Names) -> None:
    document = make(tmp_path, NONE, now(), device=ward).document()
    assert list(document) == ["authority", "leaf", "made", "notes"]
    assert list(document["authority"]) == ["file", "fingerprint", "names", "not_before", "not_after"]
    assert list(document["leaf"]) == ["file", "names", "not_before", "not_after"]
    assert "PRIVATE" not in str(document)


def test_certificates_lie_in_the_sites_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    assert tls_folder() == tmp_path / "tls"


def test_root_follows_no_link_and_others_their_own(
    tmp_path: Path, ward: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, link = tmp_path / "other", tmp_path / "tls"
    other.mkdir()
    link.symlink_to(other)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ConfigError, match="is a link"):
        make(link, Names(), now(), device=ward)
    assert list(other.iterdir()) == []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert make(link, Names(), now(), device=ward).made == ("authority", "leaf")
