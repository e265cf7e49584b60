"""The power goes at any moment of staging: every release that is there is whole, and the next run clears the rest; and
at any moment of an upgrade: the release before or the new one runs, whole, and the next run brings all to its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edgekit.bundle import Bundle
from tests.lab.cuts import cut_often
from tests.lab.disk import Lab, NoLab
from tests.lab.installer import INSTALLING
from tests.releases import small_bundle

DISK_MIB = 64


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with ExitStack() as stack:
        try:
            lab = stack.enter_context(Lab(tmp_path).running(DISK_MIB))
        except NoLab as reason:
            pytest.skip(f"no power can be cut here: {reason}")
        yield lab


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return small_bundle(tmp_path / "bundle", {"graphs/decoder.data": bytes(range(256)) * 2000, "tokenizer.json": b"{}"})


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(30, marks=[pytest.mark.system, pytest.mark.timeout(900)]),
        pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(7200)]),
    ],
)
def test_every_release_that_is_there_is_whole(lab: Lab, bundle: Bundle, times: int) -> None:
    assert not cut_often(lab, bundle, times)


@pytest.mark.system
@pytest.mark.timeout(900)
def test_a_stager_that_does_not_flush_is_found(lab: Lab, bundle: Bundle) -> None:
    """Else the lab would show nothing."""
    wrong = cut_often(lab, bundle, 10, "unflushed")
    assert any("bytes, not" in problem or "differ" in problem for problem in wrong), wrong


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(6, marks=[pytest.mark.system, pytest.mark.timeout(900)]),
        pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(7200)]),
    ],
)
def test_an_upgrade_leaves_the_old_release_or_the_new_one(lab: Lab, bundle: Bundle, times: int) -> None:
    assert not cut_often(lab, bundle, times, of=INSTALLING)


@pytest.mark.system
@pytest.mark.timeout(900)
def test_an_installer_that_does_not_flush_is_found(lab: Lab, bundle: Bundle) -> None:
    assert cut_often(lab, bundle, 10, "unflushed", of=INSTALLING)
