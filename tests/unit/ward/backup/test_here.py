"""This machine's data and keys go where the command says, and never beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.audit.here import audit_key
from edgekit.ward.audit.verify import lines
from edgekit.ward.backup.here import back_up_here, restore_here
from edgekit.ward.keys import master_key
from tests.unit.ward.backup.conftest import Site

Machines = tuple[Site, Site]


def test_data_and_keys_are_written_and_brought_back(machines: Machines, tmp_path: Path) -> None:
    site, _ = machines
    with site.open() as ward:
        site.talk(ward, "one")
    (tmp_path / "safe").mkdir()
    file = tmp_path / "safe" / "keys"
    data, keys = back_up_here(tmp_path / "data", None), back_up_here(None, file)
    assert data.backup
    assert (data.keys, keys.backup) == (None, None)
    assert data.document()["backup"]["conversations"] == 1
    assert keys.document() == {"backup": None, "keys": str(file)}
    both = back_up_here(tmp_path / "both.tar", file)
    assert both.backup
    assert restore_here(tmp_path / "both.tar", file).conversations == 1
    told = [line.fields["event"] for line in lines(site.state / "audit", audit_key(master_key(site.state)))]
    assert told == ["backup", "keys_copied", "backup", "keys_copied", "restored"]


def test_keys_beside_what_they_lock_are_refused(machines: Machines, tmp_path: Path) -> None:
    site, _ = machines
    with site.open() as ward:
        site.talk(ward, "one")
    cases: list[tuple[Path | None, Path]] = [
        (tmp_path / "data", tmp_path / "data" / "keys"),
        (tmp_path / "data", tmp_path / "keys"),
        (tmp_path / "data.tar", tmp_path / "keys"),
        (None, site.state / "keys"),
    ]
    for place, keys in cases:
        with pytest.raises(EdgeKitError, match="protect nothing"):
            back_up_here(place, keys)
    assert not any((tmp_path / name).exists() for name in ("data", "data.tar", "keys"))


def test_where_nothing_is_kept_nothing_is_made(machines: Machines, tmp_path: Path) -> None:
    site, _ = machines
    site.use(site.folder)
    for place, keys in ((tmp_path / "data", None), (None, tmp_path / "keys")):
        with pytest.raises(EdgeKitError, match="Nothing is kept"):
            back_up_here(place, keys)
    assert not list(tmp_path.iterdir())
