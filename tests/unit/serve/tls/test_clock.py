"""The day that no right clock comes before is past, and follows the changelog."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from edgekit.machine.moment import RELEASED
from edgekit.serve.tls.clock import now
from tests.mirrored import ROOT


def test_the_release_is_past_and_not_before_what_the_changelog_dates() -> None:
    assert datetime.now(timezone.utc) >= RELEASED
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(r"^## \S+ \((.+)\)$", changelog, re.MULTILINE)
    assert heading
    assert heading[1] in ("unreleased", f"{RELEASED:%Y-%m-%d}"), "RELEASE_DATE in edgekit/__init__.py goes with it"


def test_now_is_now_in_utc() -> None:
    assert abs(now() - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert now().tzinfo == timezone.utc
