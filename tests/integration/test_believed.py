"""An installed bundle's plans on a simulated device: those that stand in root's record answer, and no others do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edgekit.bundle import Bundle, open_bundle
from edgekit.cli.main import main
from edgekit.deploy.examined import compile_where_lacking
from edgekit.engines.believed import RECORD
from edgekit.engines.open import open_engine
from edgekit.errors import EngineError
from edgekit.progress import silent
from tests.flipped import flip
from tests.simulated_tensorrt.machine import CARD, simulate


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with plans that were compiled before it was installed."""
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        simulate(folder, patch, CARD)
        assert main(["build", "--target", "rtx3050", "--out", str(folder / "bundle")]) == 0
    return folder / "bundle"


@pytest.fixture
def bundle(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """Linked as an installation is; somebody laid its plans there."""
    simulate(tmp_path, monkeypatch, CARD)
    out, record = Path(shutil.copytree(built, tmp_path / "bundle")), tmp_path / "state" / "one.json"
    record.parent.mkdir()
    (out / "engines").rename(tmp_path / "engines")
    (out / "engines").symlink_to(tmp_path / "engines")
    (out / RECORD).symlink_to(record)
    return open_bundle(out)


def answers(bundle: Bundle) -> bool:
    """Whether it opens on the GPU."""
    engine = open_engine(bundle, 1)
    engine.close()
    return engine.on_gpu


def test_plans_that_somebody_laid_there_answer_to_nobody(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"not believed: it does not stand in .*one\.json") as refused:
        answers(bundle)
    assert "sudo edgekit install" in refused.value.hint
    assert compile_where_lacking(bundle, silent)["compiled"]
    assert answers(bundle)
    assert compile_where_lacking(bundle, silent) == {"compiled": False}
    (folder,) = (tmp_path / "engines").iterdir()
    shutil.rmtree(folder)
    assert compile_where_lacking(bundle, silent)["compiled"]
    assert answers(bundle)


def test_a_plan_that_changed_since_is_not_loaded_and_the_next_install_compiles_it_again(
    bundle: Bundle, tmp_path: Path
) -> None:
    compile_where_lacking(bundle, silent)
    for name in ("decoder.plan", "lock.json"):
        (file,) = (tmp_path / "engines").glob(f"*/{name}")
        flip(file, file.stat().st_size // 2, 1)
        with pytest.raises(EngineError, match=name) as refused:
            answers(bundle)
        assert "sudo edgekit install" in refused.value.hint
        assert compile_where_lacking(bundle, silent)["compiled"]
        assert answers(bundle)
