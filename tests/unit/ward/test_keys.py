"""The master key: made once, read strictly, never made anew over what is kept, and shown nowhere."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.errors import ConfigError, EdgeKitError
from edgekit.ward.keys import KEYS, WARD, Master, key_file, load, make, master_key


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return tmp_path / "site"


def test_it_is_made_at_first_use_and_read_from_then_on(site: Path, tmp_path: Path) -> None:
    first = master_key(tmp_path)
    file = site / "ward.key"
    assert file.stat().st_mode & 0o777 == 0o400
    assert file.read_text() == first.secret.hex() + "\n"
    assert master_key(tmp_path) == first
    assert first.secret.hex() not in repr(first)


@pytest.mark.parametrize("name", [WARD, KEYS])
def test_it_is_never_made_where_something_is_kept(site: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    master_key(tmp_path)
    (site / "ward.key").unlink()
    (tmp_path / name).write_bytes(b"kept")
    with pytest.raises(EdgeKitError, match=r"ward\.key is missing") as caught:
        master_key(tmp_path)
    assert "LoadCredential" in caught.value.hint
    assert not (site / "ward.key").exists()


def test_systemds_credential_counts_before_the_sites_file(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = master_key(tmp_path)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert master_key(tmp_path) == own
    (credentials / "ward.key").write_text("AB" * 32)
    (credentials / "ward.key").chmod(0o440)  # systemd lets its user read by an ACL, whose mask this is
    assert key_file() == credentials / "ward.key"
    assert master_key(tmp_path) == Master(b"\xab" * 32)


@pytest.mark.parametrize(
    "text", ["", "ab" * 31, "ab" * 33, "zz" * 32, "\0" * 64, "ab" * 16 + "\n" + "ab" * 16, "é" * 64]
)
def test_a_damaged_one_is_refused(site: Path, tmp_path: Path, text: str) -> None:
    master_key(tmp_path)
    file = site / "ward.key"
    file.chmod(0o600)
    file.write_text(text)
    with pytest.raises(ConfigError, match="damaged"):
        master_key(tmp_path)
    assert file.read_text() == text


def test_one_that_others_can_read_is_refused(site: Path, tmp_path: Path) -> None:
    master_key(tmp_path)
    (site / "ward.key").chmod(0o440)
    with pytest.raises(ConfigError, match="mode 440") as caught:
        master_key(tmp_path)
    subprocess.run(caught.value.hint.removeprefix("Run: "), shell=True, check=True)
    master_key(tmp_path)
    with pytest.raises(ConfigError, match="can't be read"):
        load(site / "missing")


def test_a_purpose_has_a_key_of_its_own() -> None:
    master = Master(bytes(range(32)))
    keys = {purpose: master.derive(purpose) for purpose in ("ward.db", "keys.db", "picture names", "audit")}
    assert len(set(keys.values())) == 4
    # RFC 5869, written out: extract with a salt of zeros, expand once.
    extracted = hmac.digest(bytes(32), master.secret, hashlib.sha256)
    assert keys["audit"] == hmac.digest(extracted, b"edgekit audit\x01", hashlib.sha256)


def test_it_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EdgeKitError, match="No space is left"):
        make(tmp_path / "ward.key")
    assert not list(tmp_path.iterdir())


def test_two_first_starts_agree(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from edgekit.ward.keys import master_key\n"
    script += "sys.stdin.readline(); print(master_key(Path(sys.argv[1])).secret.hex())"
    command, pipe = [sys.executable, "-c", script, str(tmp_path)], subprocess.PIPE
    starts = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    assert len({start.communicate("\n")[0] for start in starts}) == 1
