"""A backup is whole and of one moment, says what is damaged, and holds no key."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.audit.audit import Audit
from edgekit.ward.audit.here import audit_key
from edgekit.ward.audit.verify import lines, verify
from edgekit.ward.backup import make
from edgekit.ward.backup.copies import copy_database
from edgekit.ward.backup.manifest import NAME
from edgekit.ward.keys import master_key
from tests.unit.ward.backup.conftest import OWNER, Site, kept
from tests.wards import zero

Machines = tuple[Site, Site]


def test_it_holds_what_is_kept_and_no_key(machines: Machines, tmp_path: Path) -> None:
    site, _ = machines
    with site.open() as ward:
        for name in ("one", "two"):
            site.talk(ward, name, pictures=2)
        site.audit().note("sign_in", "account anna")
        backup = site.back_up(tmp_path / "backup")
        keys = [bytes(row[0]) for row in ward.database.rows("SELECT key FROM keys.keys")]
    assert (backup.conversations, backup.turns, backup.pictures, backup.damaged) == (2, 2, 4, ())
    files = [path for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    names = {path.relative_to(tmp_path / "backup").parts[0] for path in files}
    assert names == {"ward.db", "pictures", "audit", NAME}
    assert backup.bytes == sum(path.stat().st_size for path in files)
    everything = b"".join(path.read_bytes() for path in files)
    secrets = [*keys, master_key(site.state).secret]
    assert not any(secret in everything or secret.hex().encode() in everything for secret in secrets)
    assert b"one?" not in everything
    verified = verify(tmp_path / "backup" / "audit", audit_key(master_key(site.state)))
    assert (verified.ok, str(verified.head)) == (True, backup.head)
    assert [path.name for path in site.state.iterdir() if "backup" in path.name] == []


def test_it_is_told_in_the_audit_with_its_hash(machines: Machines, tmp_path: Path) -> None:
    site, _ = machines
    with site.open() as ward:
        site.talk(ward, "one")
    site.back_up(tmp_path / "backup.tar")
    backup = site.back_up(tmp_path / "backup")
    told = [line.fields for line in lines(site.state / "audit", audit_key(master_key(site.state)))]
    assert [(line["event"], line["who"], line["count"]) for line in told] == [("backup", "terminal root", 1)] * 2
    manifest = (tmp_path / "backup" / NAME).read_bytes()
    assert told[1]["sha256"] == hashlib.sha256(manifest).hexdigest()
    assert json.loads(manifest)["head"] == backup.head == "1:" + backup.head[2:]
    assert json.loads(json.dumps(backup.document()))["place"] == str(tmp_path / "backup")


def test_where_the_audit_can_t_be_written_there_is_no_backup(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, _ = machines
    with site.open() as ward:
        site.talk(ward, "one")

    def refuse(*arguments: object, **facts: object) -> None:
        raise EdgeKitError("No space is left", "Make room.")

    monkeypatch.setattr(Audit, "note", refuse)
    with pytest.raises(EdgeKitError, match="No space"):
        site.back_up(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_pictures_that_are_damaged_or_missing_are_named(machines: Machines, tmp_path: Path) -> None:
    site, _ = machines
    with site.open() as ward:
        site.talk(ward, "one", pictures=3)
        damaged, missing, whole = sorted((site.state / "pictures").glob("*/*"))
        zero(damaged, 20, 4)
        missing.unlink()
        backup = site.back_up(tmp_path / "backup")
    assert set(backup.damaged) == {damaged.name, missing.name}
    assert (tmp_path / "backup" / "pictures" / whole.name[:2] / whole.name).read_bytes() == whole.read_bytes()


def test_what_is_deleted_or_removed_meanwhile_is_left_out(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, _ = machines
    with site.open() as ward:
        deleted, stays = site.talk(ward, "one"), site.talk(ward, "two")
        picture = ward.pictures.add(OWNER, stays, kept(b"nobody asked about it"))

        def copied(source: Path, target: Path, key: bytes) -> None:
            copy_database(source, target, key)
            ward.conversations.delete(OWNER, deleted)
            ward.pictures.remove(OWNER, stays, picture.id)

        monkeypatch.setattr(make, "copy_database", copied)
        backup = site.back_up(tmp_path / "backup")
    assert (backup.conversations, backup.damaged) == (2, ())
    assert len([*(tmp_path / "backup" / "pictures").glob("*/*")]) == 1


def test_a_damaged_database_is_an_error_and_no_backup(machines: Machines, tmp_path: Path) -> None:
    site, _ = machines
    with site.open() as ward:
        for at in range(30):
            site.talk(ward, f"talk {at}", pictures=0)
        ward.database.forget("main")
    zero(site.state / "ward.db", 40_000, 64)
    with pytest.raises(EdgeKitError, match=r"damaged"):
        site.back_up(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
