"""What stands around a build's stages: the place that a bundle may take, a figure that is lacking, graphs alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.bundle import MANIFEST, Bundle
from edgekit.check.cache import CacheLoss
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.errors import ConfigError, EdgeKitError, EngineError
from edgekit.pipeline import export_graphs, stages
from edgekit.pipeline.stages import _cache_loss, _require_own_place
from edgekit.recipe import recipe
from edgekit.target import target
from tests.specs import manifest, manifest_alone
from tests.unit.quantize.fakes import SPEC, Stored, checkpoint, normal

CPU, Q4 = target("cpu"), recipe("q4")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return manifest_alone(tmp_path / "bundle", source="toy", target=CPU, recipe=Q4).path


@pytest.mark.parametrize(
    ("source", "device", "by", "said"),
    [
        ("other", "cpu", "q4", "another checkpoint: toy, not other"),
        ("toy", "orin", "q4", "another target: cpu, not orin"),
        ("toy", "cpu", "q8", "another recipe: q4, not q8"),
    ],
)
def test_a_bundle_of_something_else_makes_no_way(source: str, device: str, by: str, said: str, there: Path) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        _require_own_place(there, source, target(device), recipe(by))
    assert "--out" in refused.value.hint


def test_its_like_a_damaged_one_and_nothing_make_way(there: Path, tmp_path: Path) -> None:
    _require_own_place(there, "toy", replace(CPU, slots=9), replace(Q4, method="awq"))
    (there / MANIFEST).write_text("{")
    _require_own_place(there, "other", CPU, Q4)
    _require_own_place(tmp_path / "nothing", "other", CPU, Q4)


def test_a_figure_of_the_cache_is_measured_where_there_is_one_in_int8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = CacheLoss(9, 0.1, 0.2, 8)
    errors: list[EdgeKitError] = []

    def measure(bundle: Bundle, progress: object) -> CacheLoss:
        for error in errors:
            raise error
        return loss

    monkeypatch.setattr(stages, "cache_loss", measure)
    coded = manifest(recipe=replace(Q4, kv="int8"))
    assert _cache_loss(tmp_path, manifest(), print) == (None, ())
    assert _cache_loss(tmp_path, coded, print) == (loss, ())
    errors.append(EngineError("no room for an arena"))
    missing, (note,) = _cache_loss(tmp_path, coded, print)
    assert missing is None
    assert note.endswith("was not measured: no room for an arena")


@pytest.mark.parametrize(("name", "domains"), [("cpu", {"", "com.microsoft"}), ("rtx3050", {""})])
def test_graphs_alone_are_spelled_for_their_target(name: str, domains: set[str], tmp_path: Path) -> None:
    """TensorRT knows standard operators alone."""
    import onnx

    source = checkpoint(**{tensor: Stored(normal(*shape)) for tensor, shape in tensor_shapes(SPEC).items()})
    out = tmp_path / "graphs"
    graphs = export_graphs(source, target(name), out)
    assert graphs.files == {path: path.stat().st_size for path in out.rglob("*") if path.is_file()}
    assert {path.name for path in graphs.files} >= {"vision.onnx", "decoder.onnx", "embedding.safetensors"}
    decoder = onnx.load(str(out / "graphs" / "decoder.onnx"), load_external_data=False).graph
    assert {node.domain for node in decoder.node} == domains
    with pytest.raises(EdgeKitError, match="exists already"):
        export_graphs(source, target(name), out)
