"""A quantized checkpoint opens to what was quantized, and a damaged one to one clear error."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.checkpoint.inspect import inspect
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import Tensor, is_packed
from edgekit.errors import CheckpointError, EdgeKitError
from edgekit.quantize import quantize
from edgekit.quantize import write_checkpoint as write_quantized
from edgekit.recipe import recipe
from tests.checkpoints import write_checkpoint


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        write_checkpoint(path / "original", "llava", "mistral", dtype="bfloat16")
        for kind in ("q4", "q8", "fp16"):
            write_quantized(open_checkpoint(path / "original"), recipe(kind), path / kind)
        yield path


@pytest.mark.parametrize("kind", ["q4", "q8", "fp16"])
def test_reading_back_gives_the_lazy_views_weights(folder: Path, kind: str) -> None:
    original = open_checkpoint(folder / "original")
    view, stored = quantize(original, recipe(kind)), open_checkpoint(folder / kind)
    assert stored.spec == original.spec
    assert stored.tokenizer_json == original.tokenizer_json
    assert stored.tensors.keys() == view.tensors.keys()
    for name, expected in view.tensors.items():
        tensor = stored.tensors[name]
        assert tensor.shape == expected.shape
        if is_packed(expected):
            assert is_packed(tensor)
            assert (tensor.bits, tensor.group) == (expected.bits, expected.group)
            for start, stop in [(0, 7), (7, 14), (3, expected.shape[0])]:
                ours, theirs = tensor.packed_rows(start, stop), expected.packed_rows(start, stop)
                np.testing.assert_array_equal(ours.dequantize(), theirs.dequantize(), err_msg=name)
        else:
            plain, wanted = (cast("Tensor", weight).rows(0, weight.shape[0]) for weight in (tensor, expected))
            np.testing.assert_array_equal(plain, wanted)


def test_quantizing_again_by_the_same_recipe_changes_nothing(folder: Path) -> None:
    stored = open_checkpoint(folder / "q4")
    again = quantize(stored, recipe("q4"))
    name = "decoder.layers.0.mlp.up.weight"
    assert again.tensors[name] is stored.tensors[name]


def test_its_tower_cannot_be_replaced(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="vision tower included"):
        open_checkpoint(folder / "q4", folder / "original")


def test_inspect_counts_the_same_parameters_in_fewer_bytes(folder: Path) -> None:
    original, small = inspect(open_checkpoint(folder / "original")), inspect(open_checkpoint(folder / "q4"))
    assert small.parameters == original.parameters
    assert [part.parameters for part in small.parts] == [part.parameters for part in original.parts]
    assert {part.name: part.dtypes for part in small.parts}["decoder"] == ("float16", "int4")
    header = int.from_bytes((folder / "q4" / "model.safetensors").read_bytes()[:8], "little")
    assert 0 <= small.bytes - header - sum(part.bytes for part in small.parts) < 64 * 1024, "padding only"


def broken(folder: Path, tmp_path: Path, change: Any) -> Path:
    for file in (folder / "q4").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    about = json.loads((tmp_path / "edgekit.json").read_text())
    change(about)
    (tmp_path / "edgekit.json").write_text(json.dumps(about))
    return tmp_path


UP = "decoder.layers.0.mlp.up.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda about: about.update(format=2), "has format 2"),
        (lambda about: about.pop("spec"), "spec"),
        (lambda about: about["packed"].pop(UP), f"lacks the tensor {UP}"),
        (lambda about: about["packed"][UP].update(group=64), "asks for"),
        (lambda about: about["packed"][UP].update(group=48), "in a way that EdgeKit does not"),
        (lambda about: about["packed"][UP].update(k=7), "in a way that EdgeKit does not"),
        (lambda about: about["packed"].update({"decoder.norm.weight": about["packed"][UP]}), "in a way"),
        (lambda about: about["packed"][UP].update(bits=3), "bits"),
        (lambda about: about["spec"]["decoder"].update(ff=208), "asks for"),
        (lambda about: about["spec"]["decoder"].update(layers=10**12), "layers"),
        (lambda about: about["spec"]["decoder"].update(kv_heads=4), "groups"),
        (lambda about: about["spec"]["vision"].update(heads=0), "heads 0"),
        (lambda about: about["spec"]["vision"].update(image_size=3), "3 pixels in patches of 7"),
        (lambda about: about["spec"]["image"].update(size=35), "35 pixels for a tower that reads 28"),
        (lambda about: about["spec"]["projector"].update(widths=[72]), "widths"),
        (lambda about: about["spec"]["template"].update(user="{0.x}"), "no place for the question"),
        (lambda about: about["spec"]["template"].update(user="{"), "no place for the question"),
        (lambda about: about["spec"]["template"].update(pictured="{} {1}"), "no place for the question"),
        (lambda about: about["spec"]["template"].update(past="{}{}"), "no place for the question"),
        (lambda about: about["spec"]["template"].update(pictured="<image>{}{}"), "an image where there is none"),
        (lambda about: about["spec"]["template"].update(reserved=["a", "  "]), "stops at nothing"),
        (lambda about: about["spec"].update(stop_ids=[320]), "special tokens"),
        (lambda about: about["spec"]["image"].update(std=[0, 1, 1]), "divided by"),
    ],
)
def test_a_file_that_does_not_fit_is_one_clear_error(folder: Path, tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        open_checkpoint(broken(folder, tmp_path, change))
    assert error.value.hint


JSON: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just({}), st.just([])
)


@settings(max_examples=100)
@given(data=st.data())
def test_a_mutated_description_raises_nothing_but_our_own_error(folder: Path, data: st.DataObject) -> None:
    file = folder / "q8" / "edgekit.json"
    before = file.read_text()
    about: dict[str, Any] = json.loads(before)
    table = about
    while True:
        key = data.draw(st.sampled_from(sorted(table)))
        if not isinstance(table[key], dict) or not table[key] or data.draw(st.booleans()):
            break
        table = table[key]
    table[key] = data.draw(JSON)
    file.write_text(json.dumps(about))
    try:
        checkpoint = open_checkpoint(folder / "q8")
        assert inspect(checkpoint).parameters > 0
        assert checkpoint.spec.template.user.format("a question")
    except EdgeKitError as error:
        assert error.hint
    finally:
        file.write_text(before)
