"""The golden check: honest bundles pass by every recipe, and each planted fault is refused by its component's name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from edgekit import config
from edgekit.bundle import MANIFEST, Bundle, open_bundle
from edgekit.bundle.hashes import hash_files
from edgekit.check import Checked, check
from edgekit.check.golden import read_golden
from edgekit.check.verdict import check_here
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import Array
from edgekit.cli.main import main
from edgekit.config import seal
from edgekit.engines.onnxruntime.engine import OnnxRuntimeEngine
from edgekit.errors import GateRefused
from edgekit.export.export import export
from edgekit.phantom.embedded import embedded
from edgekit.pipeline import Built, build
from edgekit.quantize import quantize
from edgekit.recipe import Gate, Recipe, recipe
from edgekit.target import target
from tests.checkpoints import write_checkpoint
from tests.edited import edit, unsealed
from tests.embedded_bundles import EmbeddedBundles

CPU = replace(target("cpu"), context=300, slots=1)
RECIPES = ["fp32", "fp16", "q8", "q4"]
Edit = Callable[[Bundle, Path], None]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("check") / "tiny", "hf", "llama", "clip").path


@pytest.fixture(scope="module", params=["tiny", "embedded"])
def checkpoint(request: pytest.FixtureRequest, tiny: Path) -> Path:
    return tiny if request.param == "tiny" else embedded()


@pytest.fixture(scope="module")
def built(checkpoint: Path, embedded_as: EmbeddedBundles, tmp_path_factory: pytest.TempPathFactory) -> Built:
    if checkpoint == embedded():
        return embedded_as.built("q4")
    return build(checkpoint, CPU, recipe("q4"), tmp_path_factory.mktemp("built") / "bundle")


@pytest.mark.parametrize("activations", ["cpu", "orin"])
@pytest.mark.parametrize("name", RECIPES)
def test_an_honest_bundle_passes(
    checkpoint: Path, name: str, activations: str, embedded_as: EmbeddedBundles, tmp_path: Path
) -> None:
    if (checkpoint, activations) == (embedded(), "cpu"):
        checked = embedded_as.built(name).checked
    else:
        chosen = replace(target(activations), context=300, slots=1)
        checked = build(checkpoint, chosen, recipe(name), tmp_path / "bundle").checked
    assert checked.passed, checked.shortfall
    assert checked.very_tokens
    assert not checked.worst
    assert checked.reference == "unquantized"
    # No figure comes nearer than two thirds of its limit, so that another processor's rounding breaks none.
    assert max(component.badness for component in checked.components) < 0.67


def test_this_machine_gives_what_the_build_gave(built: Built) -> None:
    checked = check_here(built.bundle)
    assert checked.passed
    assert checked.very_tokens
    assert [component.name for component in checked.components] == [
        "image", "template", "vision", "projector", "embedding", "decoder"
    ]  # fmt: skip


@dataclass(frozen=True)
class Zeros:
    """A tensor of zeros in place of another."""

    source: Any

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.source.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self.source.dtype
        return dtype

    def rows(self, start: int, stop: int) -> Array:
        return np.zeros((stop - start, *self.shape[1:]), self.dtype)

    def release(self, start: int, stop: int) -> None: ...


def graph_of(changed: Callable[[Checkpoint], Checkpoint], graph: str) -> Edit:
    """Put the graph of a changed checkpoint in the place of the bundle's."""

    def edit(bundle: Bundle, checkpoint: Path) -> None:
        manifest, folder = bundle.manifest, bundle.path
        wrong = changed(open_checkpoint(checkpoint))
        export(quantize(wrong, manifest.recipe), manifest.target.activations, manifest.context, folder / "wrong")
        for file in (folder / "wrong/graphs").glob(f"{graph}.onnx*"):
            file.replace(folder / "graphs" / file.name)
        shutil.rmtree(folder / "wrong")

    return edit


def swapped(source: Checkpoint) -> Checkpoint:
    """The last two layers of the decoder in the wrong order."""
    last = source.spec.decoder.layers - 1
    places = {
        f"decoder.layers.{last}.": f"decoder.layers.{last - 1}.",
        f"decoder.layers.{last - 1}.": f"decoder.layers.{last}.",
    }

    def moved(name: str) -> str:
        return next((new + name.removeprefix(old) for old, new in places.items() if name.startswith(old)), name)

    tensors: Mapping[str, Any] = {name: source.tensors[moved(name)] for name in source.tensors}
    return replace(source, tensors=tensors)


def without_bias(source: Checkpoint) -> Checkpoint:
    dropped: dict[str, Any] = {
        name: Zeros(weight)
        for name, weight in source.tensors.items()
        if name.startswith("projector.") and name.endswith(".bias")
    }
    return replace(source, tensors={**source.tensors, **dropped})


def turned(source: Checkpoint) -> Checkpoint:
    decoder = source.spec.decoder
    rope = replace(decoder.rope, theta=decoder.rope.theta * 50)
    return replace(source, spec=replace(source.spec, decoder=replace(decoder, rope=rope)))


def zero_a_scale(graph: str) -> Edit:
    """One scale of one layer."""

    def edit(bundle: Bundle, checkpoint: Path) -> None:
        path = bundle.path / f"graphs/{graph}.onnx"
        found = onnx.load(str(path), load_external_data=False).graph.initializer
        scales = [tensor for tensor in found if tensor.name.endswith(".scales")][-1]
        place = {entry.key: entry.value for entry in scales.external_data}
        with path.with_name(place["location"]).open("r+b") as file:
            file.seek(int(place["offset"]) + 8)
            file.write(bytes(4))

    return edit


def wrong_mean(bundle: Bundle, checkpoint: Path) -> None:
    def shift(document: Any) -> None:
        document["spec"]["image"]["mean"] = [mean + 0.02 for mean in document["spec"]["image"]["mean"]]

    edit(bundle.path / MANIFEST, shift)


def wrong_template(bundle: Bundle, checkpoint: Path) -> None:
    def go_on(document: Any) -> None:
        document["spec"]["template"]["opening"] += " Well,"

    edit(bundle.path / MANIFEST, go_on)


FAULTS: dict[str, tuple[Edit, str]] = {
    "two layers swapped": (graph_of(swapped, "decoder"), "decoder"),
    "the rope's base": (graph_of(turned, "decoder"), "decoder"),
    "a scale of the decoder": (zero_a_scale("decoder"), "decoder"),
    "a scale of the tower": (zero_a_scale("vision"), "vision"),
    "a scale of the projector": (zero_a_scale("projector"), "projector"),
    "the projector's bias": (graph_of(without_bias, "projector"), "projector"),
    "the image's mean": (wrong_mean, "image"),
    "the template": (wrong_template, "template"),
}


def damaged(built: Built, place: Path, harm: Callable[[Bundle], None]) -> Path:
    """A copy of a bundle, changed and sealed again: what a fault before sealing would have left."""
    shutil.copytree(built.bundle.path, place, ignore=shutil.ignore_patterns("engines", "profiles"))
    harm(replace(built.bundle, path=place))
    document = unsealed(place / MANIFEST)
    (place / MANIFEST).unlink()
    document["files"] = config.dump(hash_files(place))
    (place / MANIFEST).write_text(seal.dumps(document))
    return place


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_refused_by_its_component_s_name(
    fault: str, built: Built, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    harm, component = FAULTS[fault]
    place = damaged(built, tmp_path / "bundle", lambda bundle: harm(bundle, checkpoint))
    assert main(["check", str(place), "--json"]) == 3
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert not document["passed"]
    assert document["worst"] == component
    assert component in shown.err
    assert document["advice"]
    broken = [component["name"] for component in document["components"] if not component["passed"]]
    assert broken == [component]


def test_a_token_s_dead_scale_is_found_in_the_embedding(built: Built, tmp_path: Path) -> None:
    def edit(bundle: Bundle) -> None:
        path = bundle.path / "embedding.safetensors"
        data = bytearray(path.read_bytes())
        header = int.from_bytes(data[:8], "little")
        begin = json.loads(data[8 : 8 + header])["scales"]["data_offsets"][0] + 8 + header
        data[begin : begin + 2] = bytes(2)  # token 0, which no question uses
        path.write_bytes(data)

    checked = check_here(open_bundle(damaged(built, tmp_path / "bundle", edit)))
    assert checked.worst == "embedding"
    assert "token 0" in checked.shortfall


def test_force_goes_on_and_says_so(built: Built, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = damaged(built, tmp_path / "bundle", lambda bundle: wrong_mean(bundle, tmp_path))
    assert main(["check", str(place), "--force"]) == 0
    shown = capsys.readouterr()
    assert "Forced: The answers fall short" in shown.err
    assert "image" in shown.out


def strict(name: str = "q4") -> Recipe:
    return replace(recipe(name), name="strict", gate=Gate(kl=1e-12))


def test_a_build_that_falls_short_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(GateRefused, match="KL") as refusal:
        build(tiny, CPU, strict(), tmp_path / "out" / "bundle")
    assert "decoder" in refusal.value.message
    assert "int8" in refusal.value.hint
    assert list((tmp_path / "out").iterdir()) == []


def test_a_forced_build_keeps_what_it_passed_over(tiny: Path, tmp_path: Path) -> None:
    made = build(tiny, CPU, strict(), tmp_path / "bundle", force=True)
    assert not made.checked.passed
    assert [reason for reason in made.bundle.manifest.forced if "KL" in reason] == [made.checked.shortfall]


def test_examples_are_asked_and_their_headers_do_not_travel(tiny: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "PATIENT NAME"
    Image.fromarray(np.full((300, 200, 3), 99, np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    rows = [{"question": "Is it clear?", "image_name": "a.jpg", "answer": "yes"}, {"question": "What is CT?"}]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    bundle = build(tiny, CPU, recipe("q4"), tmp_path / "bundle", calibrate=tmp_path / "rows.json").bundle
    golden, arrays = read_golden(bundle)
    assert [sequence.question for sequence in golden.sequences] == ["Is it clear?", "What is CT?"]
    assert [sequence.picture for sequence in golden.sequences] == [0, None]
    stored = bundle.file("golden/00.png")
    assert b"PATIENT" not in stored.read_bytes()
    with Image.open(stored) as picture:
        assert picture.size == (19, 28)
    assert arrays.pixels.shape == (1, 3, 28, 28)


def test_text_alone_can_be_checked(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(json.dumps([{"question": "What is CT?"}]))
    made = build(tiny, CPU, recipe("q4"), tmp_path / "bundle", calibrate=tmp_path / "rows.json")
    assert made.checked.passed
    assert not read_golden(made.bundle)[0].pictures


def test_a_packed_checkpoint_is_its_own_reference(tiny: Path, tmp_path: Path) -> None:
    assert main(["quantize", str(tiny), "--recipe", "q4", "--out", str(tmp_path / "q")]) == 0
    checked = build(tmp_path / "q", CPU, recipe("q4"), tmp_path / "bundle").checked
    assert checked.reference == "as stored"
    assert checked.figures.kl < 1e-3


def test_a_bundle_without_a_record_is_to_be_built_again(
    built: Built, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = damaged(built, tmp_path / "bundle", lambda bundle: (bundle.path / "golden.json").unlink())
    assert main(["check", str(place)]) == 1
    assert "no golden answers" in capsys.readouterr().err


def checked_with(built: Built) -> Checked:
    engine = OnnxRuntimeEngine(built.bundle, built.bundle.path / "graphs", 1)
    try:
        return check(built.bundle, engine)
    finally:
        engine.close()


def test_another_engine_can_be_given(built: Built) -> None:
    assert checked_with(built).very_tokens
