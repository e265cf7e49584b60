"""What is taken away of an audit is missed by its ward, head and all, and stays so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.audit import syslog
from edgekit.ward.audit.anchored import AuditHere, anchor, open_audit
from edgekit.ward.audit.head import NONE, Head
from edgekit.ward.audit.here import audit_key
from edgekit.ward.audit.verify import verify
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.wards import MASTER

KEY = audit_key(MASTER)


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[Head]:
    """What the system's log is told."""
    heads: list[Head] = []
    monkeypatch.setattr(syslog, "tell", lambda head, day: heads.append(head))
    return heads


def _note(ward: Ward) -> Head:
    """What a process writes that begins now."""
    return open_audit(ward.state, ward.database, MASTER).note("sign_in", "account anna")


def test_how_far_it_goes_is_told_the_ward_and_the_system(ward: Ward, told: list[Head]) -> None:
    assert anchor(ward.state, MASTER) == NONE
    audit = open_audit(ward.state, ward.database, MASTER)
    first = audit.note("sign_in", "account anna")
    audit.note("sign_out", "account anna")
    assert anchor(ward.state, MASTER) == first
    assert told == [first], "once a day"
    assert verify(ward.state / "audit", KEY, first).ok


def test_an_audit_that_is_taken_away_whole_is_missed(ward: Ward) -> None:
    for _ in range(3):
        _note(ward)
    shutil.rmtree(ward.state / "audit")
    assert _note(ward).seq == 4, "it goes on from where the ward says it was"
    fault = verify(ward.state / "audit", KEY).fault
    assert fault
    assert (fault.what, fault.line) == ("removed", 1)


def test_an_older_state_put_back_is_missed_before_and_behind_what_comes_next(ward: Ward, tmp_path: Path) -> None:
    folder = ward.state / "audit"
    _note(ward)
    shutil.copytree(folder, tmp_path / "older")
    for _ in range(2):
        _note(ward)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "older", folder)
    assert verify(folder, KEY).ok
    for _ in range(2):
        fault = verify(folder, KEY, anchor(ward.state, MASTER)).fault
        assert fault
        assert (fault.what, fault.line) in (("truncated", 2), ("removed", 2))
        _note(ward)
    fault = verify(folder, KEY).fault
    assert fault
    assert (fault.what, fault.line) == ("removed", 2)


def test_a_ward_that_can_t_keep_it_refuses_nothing(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> int:
        raise EdgeKitError("No space is left", "Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(ward.database, "change", refuse)
        assert _note(ward).seq == 1
    assert anchor(ward.state, MASTER) == NONE
    ward.database.change("INSERT INTO main.meta VALUES ('audit', 'nonsense')")
    assert anchor(ward.state, MASTER) == NONE
    assert _note(ward).seq == 2


def test_this_machine_s_is_found_and_nothing_is_made_by_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "here"
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.setenv("EDGEKIT_STATE", str(state))
    with pytest.raises(EdgeKitError, match="There is no audit"):
        AuditHere.find()
    assert not state.exists()
    assert not (tmp_path / "site").exists()
    master = master_key(state)
    with Ward.open(state, master) as ward:
        head = open_audit(state, ward.database, master).note("sign_in", "account anna")
    here = AuditHere.find()
    assert here.anchor == head
    assert verify(here.folder, here.key, here.anchor).lines == 1
    assert here.key.hex() not in repr(here)
    (state / "ward.db").unlink()
    assert AuditHere.find().anchor == NONE
    (tmp_path / "site" / "ward.key").unlink()
    with pytest.raises(EdgeKitError, match="can't be read"):
        AuditHere.find()
