"""One block: what its Linears read, other weights in place of its own, and rows that go on behind others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edgekit.blocks import BlockModel
from edgekit.checkpoint.open import open_checkpoint
from edgekit.errors import EngineError
from tests.checkpoints import DecoderKind, write_checkpoint


def normal(*shape: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def test_what_a_linear_reads_makes_what_the_next_one_reads(tmp_path: Path) -> None:
    tiny = write_checkpoint(tmp_path / "c", "hf", "llama", "clip")
    layer = BlockModel(open_checkpoint(tiny.path)).layer(1)
    out, read = layer.with_taps(normal(1, 7, 288))
    np.testing.assert_array_equal(out, layer(normal(1, 7, 288)))
    name = "decoder.layers.1"
    assert layer.reads[f"{name}.attn.q.weight"] == layer.reads[f"{name}.attn.v.weight"]
    mlp = read[layer.reads[f"{name}.mlp.up.weight"]]
    gate, up = (mlp @ layer.weights[f"{name}.mlp.{part}.weight"].T for part in ("gate", "up"))
    expected = gate / (1 + np.exp(-gate)) * up
    np.testing.assert_allclose(read[layer.reads[f"{name}.mlp.down.weight"]], expected, atol=1e-5)


def test_other_weights_take_the_place_of_a_block_s_own(tmp_path: Path) -> None:
    tiny = write_checkpoint(tmp_path / "c", "hf", "llama", "clip")
    layer = BlockModel(open_checkpoint(tiny.path)).layer(0)
    x = normal(1, 5, 288)
    name = "decoder.layers.0.mlp.down.weight"
    without = layer(x, {name: np.zeros_like(layer.weights[name])})
    twice = layer(x, {name: 2 * layer.weights[name]})
    np.testing.assert_allclose(twice - without, 2 * (layer(x) - without), atol=1e-5)


@pytest.mark.parametrize("kind", ["llama", "phi"])
def test_rows_that_go_on_behind_others_are_as_if_all_were_read_at_once(kind: DecoderKind, tmp_path: Path) -> None:
    layer = BlockModel(open_checkpoint(write_checkpoint(tmp_path / "c", "hf", kind).path)).layer(0)
    x = normal(1, 9, layer.decoder.hidden)
    whole = layer(x)
    first, keys, values = layer.with_cache(x[:, :7])
    np.testing.assert_allclose(first, whole[:, :7], atol=1e-5)
    np.testing.assert_allclose(layer.behind(x[:, 7:], keys, values), whole[:, 7:], atol=1e-5)
    np.testing.assert_allclose(layer.behind(x[:, 4:], keys[:, :, :4], values[:, :, :4]), whole[:, 4:], atol=1e-5)


def test_what_the_runtime_refuses_is_an_error_that_names_the_block(tmp_path: Path) -> None:
    layer = BlockModel(open_checkpoint(write_checkpoint(tmp_path / "c", "hf").path)).layer(1)
    with pytest.raises(EngineError, match=r"decoder\.layers\.1 can't be run: .*"):
        layer(normal(1, 3, 17))
