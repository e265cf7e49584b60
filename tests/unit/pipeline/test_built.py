"""What a build says of itself: what is still to do, and what was not as asked."""

from __future__ import annotations

import json
import platform
from dataclasses import replace
from typing import Literal

import pytest

from edgekit.engines.compile import NotCompiled
from edgekit.pipeline import Prepared
from edgekit.target import target
from tests.unit.pipeline.case import LACKS, built, bundle, checked, compiled


@pytest.mark.parametrize(
    ("name", "arch", "tried", "words"),
    [
        ("rtx3050", "x86_64", True, "does not answer without engines. Build them: edgekit compile 'a bundle'"),
        ("rtx3050", "x86_64", False, "on any x86-64 machine with the extra rtx"),
        ("rtx3050", "any", False, "Still to do, on the device: edgekit compile 'a bundle'"),
        ("orin", "aarch64", False, "with JetPack 6.2 or newer"),
    ],
)
def test_what_is_to_do_where_nothing_was_compiled(
    name: str, arch: Literal["x86_64", "aarch64", "any"], tried: bool, words: str
) -> None:
    chosen = replace(target(name), arch=arch)
    result = built(Prepared(bundle(chosen), NotCompiled(LACKS, tried=tried)))
    assert words in result.next_step
    may_be_it = tried or arch == platform.machine()
    assert result.hindrance == (str(LACKS) if may_be_it else "")
    assert not result.compiled
    document = result.document()
    assert (document["compiled"], document["why"]) == (False, str(LACKS))
    assert "plans" not in document
    assert json.loads(json.dumps(document)) == document


def test_remarks_stand_in_the_order_in_which_they_came_up() -> None:
    result = Prepared(bundle(target("rtx3050")), compiled(plans=True), checked=checked(0.0))
    assert built(result).remarks == ("not as asked", "Note: a note", "slow", "Forced: too large")
