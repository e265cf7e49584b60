"""What is said of a comparison of hashes, and of none."""

from __future__ import annotations

import pytest

from edgekit.cli.show.verify import verify, warn_unverified
from edgekit.console import Console
from edgekit.engines.verify import Verified
from tests.unit.check.case import BUNDLE


@pytest.mark.parametrize("unsealed", [(), ("plans.json", "check.json")])
def test_files_are_counted_and_those_without_a_hash_are_named(
    unsealed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verified = Verified(files=9, bytes=3 << 20, seconds=0.126, unsealed=unsealed)
    monkeypatch.setattr("edgekit.engines.verify.verify_everything", lambda bundle, progress: verified)
    assert verify(Console(), BUNDLE) is verified
    out, err = capsys.readouterr()
    assert out == "Verified: 9 files, 3.00 MiB, are as they were sealed (0.13 s).\n"
    assert ("Without a hash" in err) == bool(unsealed)
    assert all(name in err for name in unsealed)


def test_comparing_nothing_is_said_also_to_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    warn_unverified(Console(json=True))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Warning: --no-verify")
