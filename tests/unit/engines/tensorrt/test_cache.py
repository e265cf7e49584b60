"""What TensorRT-RTX compiles as it runs, kept beside the plans, or where the user may write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.simulated_tensorrt.device import FakeDevice
from tests.simulated_tensorrt.module import FakeTensorRt
from tests.simulated_tensorrt.refusing import holds_nothing, refuse
from tests.simulated_tensorrt.rtx import RuntimeCache
from tests.unit.engines.tensorrt.case import Case, closing, near, read


def start(case: Case) -> list[str]:
    """The plans whose kernels TensorRT-RTX compiles at a start; the answers are right either way."""
    device = FakeDevice()
    module = FakeTensorRt(device, "tensorrt_rtx")
    with closing(case.open(device, module)) as engine:
        tokens = case.tokens(5, 1)
        near(read(engine, 0, tokens), case.expected(engine, tokens))
    return module.compiled


def test_the_runtime_cache_of_rtx_is_kept_beside_the_plans(mine: Case, home: Path) -> None:
    cache = mine.plans / "kernels.cache"
    assert len(start(mine)) == 3
    kept = cache.read_bytes()
    assert start(mine) == []
    assert cache.read_bytes() == kept
    for damage in (kept[:-5], b"", kept.replace(b"sm_86", b"sm_87")):
        cache.write_bytes(damage)
        assert len(start(mine)) == 3
        assert cache.read_bytes() == kept
    assert not list(home.iterdir())


def test_the_runtime_cache_of_a_bundle_that_cannot_be_written_to_is_kept_in_the_users(
    mine: Case, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, own = mine.plans / "kernels.cache", home / ".cache/edgekit/runtime" / mine.plans.name
    with monkeypatch.context() as patch:
        patch.setattr("edgekit.engines.tensorrt.cache.os.access", lambda path, mode: path != mine.plans)
        assert len(start(mine)) == 3
        assert start(mine) == []
        assert not beside.exists()
        beside.write_bytes(own.read_bytes())  # it came with the bundle
        own.write_bytes(b"damaged")
        assert start(mine) == []
        beside.write_bytes(b"of another GPU")
        assert len(start(mine)) == 3
        assert start(mine) == []
    beside.unlink()
    assert start(mine) == []  # it can be written to again


def test_a_user_without_a_home_does_without_the_runtime_cache(mine: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgekit.engines.tensorrt.cache.Path.home", no_home)
    monkeypatch.setattr("edgekit.engines.tensorrt.cache.os.access", lambda path, mode: False)
    assert len(start(mine)) == 3


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_a_runtime_cache_that_cannot_be_written_is_done_without(
    mine: Case, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("edgekit.files.os.replace", refuse)
    caplog.set_level("INFO")
    device = FakeDevice()
    with closing(mine.open(device, FakeTensorRt(device, "tensorrt_rtx"))):
        assert sorted(path.name for path in mine.plans.iterdir()) == ["decoder.plan", "projector.plan", "vision.plan"]
    assert "The next start compiles its kernels again" in caplog.text


def test_newer_tensorrt_has_configs_and_no_cache(mine: Case) -> None:
    device = FakeDevice()
    with closing(mine.open(device, FakeTensorRt(device, configs=True))) as engine:
        tokens = mine.tokens(5, 1)
        near(read(engine, 0, tokens), mine.expected(engine, tokens))
    assert not (mine.plans / "kernels.cache").exists()


Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("method", ["deserialize", "serialize"])
def test_a_runtime_cache_that_raises_is_done_without(
    method: str, mine: Case, monkeypatch: Patch, caplog: pytest.LogCaptureFixture
) -> None:
    def start() -> list[str]:
        device = FakeDevice()
        module = FakeTensorRt(device, "tensorrt_rtx")
        with closing(mine.open(device, module)) as engine:
            near(read(engine, 0, [5, 6]), mine.expected(engine, [5, 6]))
        assert holds_nothing(device, module)
        return module.compiled

    caplog.set_level("INFO")
    assert len(start()) == 3
    kept = mine.plans / "kernels.cache"
    before = kept.read_bytes()
    refuse(monkeypatch, RuntimeCache, method, RuntimeError("no good"))
    if method == "deserialize":
        assert len(start()) == 3
        assert kept.read_bytes() == before
        assert f"{kept} is damaged or of another GPU or version, and is made anew" in caplog.text
    else:
        kept.unlink()
        assert len(start()) == 3
        assert not kept.exists()
        assert "The runtime cache can't be kept: no good" in caplog.text
