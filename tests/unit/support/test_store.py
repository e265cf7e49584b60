"""What is told of what the service keeps: numbers, and no key, no name and no text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit.support import Subject, Topic
from edgekit.support.store import audit, store
from edgekit.support.topic import part
from edgekit.ward.audit import Audit
from edgekit.ward.audit.here import audit_key
from edgekit.ward.keys import key_file, master_key
from edgekit.ward.ward import Ward

Ask = Callable[..., Subject]


def told(subject: Subject, read: Callable[[Subject], object] = store) -> tuple[str, dict[str, object]]:
    text = part(Topic("x.json", "", read), subject).text
    return text, json.loads(text)


def test_before_there_is_anything_nothing_is_made(subject: Ask, tmp_path: Path) -> None:
    _, document = told(subject())
    assert (document["folder"], document["rows"]) == (str(tmp_path / "state"), {})
    assert not (tmp_path / "state").exists()
    assert not key_file().exists()


def test_accounts_are_counted_and_not_named(subject: Ask, tmp_path: Path) -> None:
    of = subject()
    with Ward.open(of.state, master_key(of.state)) as ward:
        ward.accounts.add("nobody", "doctor")
    text, document = told(of)
    assert document["accounts"] == {"doctor": 1}
    assert "nobody" not in text
    assert key_file().read_text().strip() not in text


@pytest.mark.parametrize("text", [None, "none\n"])
def test_a_key_that_is_lost_or_damaged_is_the_answer(text: str | None, subject: Ask) -> None:
    of = subject()
    with Ward.open(of.state, master_key(of.state)):
        pass
    key_file().unlink()
    if text is not None:
        key_file().write_text(text)
        key_file().chmod(0o400)
    _, document = told(of)
    assert "ward.key" in str(document["error"])
    assert document["hint"]


def test_the_audit_is_verified_and_nobody_in_it_is_named(subject: Ask) -> None:
    of = subject()
    assert "There is no audit" in str(told(of, audit)[1]["error"])
    lines = Audit.open(of.state / "audit", audit_key(master_key(of.state)))
    for name in ("nobody", "nobody", "another"):
        lines.note("sign_in", f"account {name}")
    text, document = told(of, audit)
    assert (document["ok"], document["lines"], document["fault"]) == (True, 3, None)
    assert "nobody" not in text
    (file,) = (of.state / "audit").glob("*.jsonl")
    file.write_bytes(file.read_bytes().replace(b"another", b"tnohera"))
    text, document = told(of, audit)
    assert (document["ok"], document["lines"]) == (False, 2)
    assert "tnohera" not in text
