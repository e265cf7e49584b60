"""This machine's audit is found by what is set for it, and nothing is made by looking."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.audit.audit import Audit
from edgekit.ward.audit.here import AuditHere, audit_key
from edgekit.ward.audit.verify import verify
from edgekit.ward.keys import master_key
from tests.audits import silent


def test_it_is_found_with_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "state"))
    with pytest.raises(EdgeKitError, match="There is no audit"):
        AuditHere.find()
    assert not list(tmp_path.iterdir())
    audit = Audit.open(tmp_path / "state" / "audit", audit_key(master_key(tmp_path / "state")), tell=silent)
    audit.note("sign_in", "account anna")
    here = AuditHere.find()
    assert verify(here.folder, here.key).lines == 1
    assert here.key.hex() not in repr(here)
    (tmp_path / "site" / "ward.key").unlink()
    with pytest.raises(EdgeKitError, match="can't be read"):
        AuditHere.find()
