"""An installed bundle on a simulated device: plans that stand in root's record answer, and no others do; and a service
is ready only once they have given a true answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edgekit.bundle import Bundle, open_bundle
from edgekit.cli.main import main
from edgekit.deploy.examined import compile_where_lacking
from edgekit.engines.believed import RECORD
from edgekit.engines.open import open_engine
from edgekit.errors import EngineError, GateRefused
from edgekit.progress import silent
from edgekit.runtime.model import Model
from edgekit.serve.listening import listen
from edgekit.serve.proof import PROVE, prove
from edgekit.serve.server import Offer, serve
from edgekit.serve.settings import Settings
from edgekit.serve.tokens import Tokens
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


def test_a_service_for_a_gpu_is_ready_once_that_answers_as_it_did(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate(tmp_path, monkeypatch, CARD)
    with Model.open(built, 1) as model:
        prove(model)
        hidden = model.bundle.manifest.spec.decoder.hidden
        silent_table = lambda engine, tokens: np.zeros((len(tokens), hidden), np.float16)  # noqa: E731
        monkeypatch.setattr(type(model.engine), "embed", silent_table)
        with pytest.raises(GateRefused, match="does not answer here as it was built to"):
            prove(model)


@pytest.mark.parametrize("variable", ["NOTIFY_SOCKET", PROVE])
def test_a_processor_that_would_answer_in_the_gpu_s_place_is_no_service_that_anything_waits_for(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    simulate(tmp_path, monkeypatch)
    monkeypatch.setenv(variable, str(tmp_path / "notify"))
    with listen("127.0.0.1", 0) as listener:
        offer = Offer(
            bundle=built,
            slots=1,
            listener=listener,
            host="127.0.0.1",
            tokens=Tokens.load(tmp_path / "tokens.toml"),
            state=tmp_path / "kept",
            settings=Settings(),
        )
        with pytest.raises(EngineError, match="that GPU is not here"):
            serve(offer, lambda announcement: None)
