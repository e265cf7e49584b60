"""A container's start on a simulated device: wrong answers are refused at every start, until they are right.

The first start compiles, and leaves plans in the volume that its check refused.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edgekit.bundle import Bundle, open_bundle
from edgekit.check.verdict import verdict_of
from edgekit.cli.main import main
from edgekit.deploy.container.start import prepare
from edgekit.engines.lock import VERDICT
from edgekit.engines.tensorrt.engine import TensorRtEngine
from edgekit.errors import GateRefused
from tests.simulated_tensorrt.machine import CARD, simulate


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        simulate(folder, patch)
        assert main(["build", "--target", "rtx3050", "--out", str(folder / "bundle")]) == 0
    return folder / "bundle"


@pytest.fixture
def bundle(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """As it lies in an image: without anything compiled, and with a link into the volume."""
    simulate(tmp_path, monkeypatch, CARD)
    out = Path(shutil.copytree(built, tmp_path / "bundle", ignore=shutil.ignore_patterns("engines")))
    (out / "engines").symlink_to(tmp_path / "volume" / "engines")
    return open_bundle(out)


def test_a_start_after_one_that_was_refused_is_refused_too_until_the_gpu_answers_as_it_should(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = bundle.manifest.spec.decoder.hidden
    with monkeypatch.context() as patch:
        silent_table = lambda engine, tokens: np.zeros((len(tokens), hidden), np.float16)  # noqa: E731
        patch.setattr(TensorRtEngine, "embed", silent_table)
        for _ in range(2):
            with pytest.raises(GateRefused):
                prepare(bundle)
            (form,) = (bundle.path / "engines").iterdir()
            verdict = verdict_of(form)
            assert verdict is not None
            assert verdict.shortfall
    prepare(bundle)
    verdict = verdict_of(form)
    assert verdict is not None
    assert not verdict.shortfall
    said = (form / VERDICT).read_bytes()
    prepare(bundle)
    assert (form / VERDICT).read_bytes() == said, "it has passed, and is not asked again"
    (form / VERDICT).unlink()  # as where the start was stopped before its check came to an end
    prepare(bundle)
    assert (form / VERDICT).exists()
