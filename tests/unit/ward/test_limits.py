"""What a site may set of signing in."""

from __future__ import annotations

import pytest

from edgekit.errors import ConfigError
from edgekit.ward.limits import SignIn


def test_a_limit_that_nobody_could_work_with_is_refused() -> None:
    assert SignIn(idle_s=60.0).idle_s == 60.0
    for name in ("idle_s", "longest_s", "invitation_s"):
        with pytest.raises(ConfigError, match=name):
            SignIn(**{name: 59.0})
