from __future__ import annotations

import re
import secrets

import pytest

from edgekit.ward.ids import new_id


def test_an_id_is_random_and_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    drawn = iter(["-Kq4F3fk_msLlLfd3E7CvQ", "_Kq4F3fk_msLlLfd3E7CvQ", "Kq4F3fk_msLlLfd3E7Cv-Q"])
    monkeypatch.setattr(secrets, "token_urlsafe", lambda count: next(drawn))
    assert re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]{21}", new_id())
    assert next(drawn, None) is None
