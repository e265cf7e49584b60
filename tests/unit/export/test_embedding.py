"""The embedding table beside the graphs: of its own, or the codes that a tied head has in the decoder's data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import is_packed
from edgekit.checkpoint.safetensors import open_file
from edgekit.engines.embedding import Embedding
from edgekit.errors import BundleError
from edgekit.export import Activations, export
from edgekit.export.embedding import EMBEDDING, embedding
from edgekit.export.export import build_graphs
from edgekit.export.ort import OrtSpelling
from edgekit.export.spelling import Spelling
from edgekit.export.trt import TrtSpelling
from edgekit.plan.components import weights_in_memory, weights_on_disk
from edgekit.plan.subject import subject_of, untied
from edgekit.quantize import quantize
from edgekit.recipe import recipe
from tests.checkpoints import write_checkpoint

TOKENS = [0, 3, 250, 7, 3]


def quantized(folder: Path, tied: bool, name: str = "q8") -> Checkpoint:
    write_checkpoint(folder, "hf", text={"tie_word_embeddings": tied})
    return quantize(open_checkpoint(folder), recipe(name))


def rows(
    checkpoint: Checkpoint, folder: Path, activations: Activations, spelling: type[Spelling] = OrtSpelling
) -> np.ndarray:
    export(checkpoint, activations, 64, folder, spelling=spelling)
    return Embedding(folder / "embedding.safetensors", checkpoint.spec.decoder.hidden, activations).rows(TOKENS)


@pytest.mark.parametrize("activations", ["float32", "float16"])
@pytest.mark.parametrize(("tied", "name"), [(True, "q8"), (False, "q8"), (True, "q4"), (True, "fp16")])
def test_rows_are_the_table_s_however_it_is_kept(
    tied: bool, name: str, activations: Activations, tmp_path: Path
) -> None:
    checkpoint = quantized(tmp_path / "c", tied, name)
    stored = rows(checkpoint, tmp_path / "out", activations)
    table = checkpoint.tensors[EMBEDDING]
    whole = table.packed_rows(0, 256).dequantize() if hasattr(table, "packed_rows") else table.rows(0, 256)
    np.testing.assert_array_equal(stored, whole[TOKENS].astype(activations))
    kept = set(open_file(tmp_path / "out" / "embedding.safetensors"))
    assert kept == {"fp16": {"weight"}, "q4": {"codes", "scales"}}.get(
        name, {"codes_at", "scales"} if tied else {"codes", "scales"}
    )


def test_tensorrt_s_head_lies_by_columns_and_is_not_read(tmp_path: Path) -> None:
    checkpoint = quantized(tmp_path / "c", tied=True)
    stored = rows(checkpoint, tmp_path / "out", "float16", TrtSpelling)
    table = checkpoint.tensors[EMBEDDING]
    assert is_packed(table)
    np.testing.assert_array_equal(stored, table.packed_rows(0, 256).dequantize()[TOKENS].astype(np.float16))


def test_what_is_kept_once_is_planned_once(tmp_path: Path) -> None:
    checkpoint, by = quantized(tmp_path / "c", tied=True), recipe("q8")
    graphs = build_graphs(checkpoint, "float16", 64)
    held = sum(weight.nbytes for weight in embedding(checkpoint, graphs["decoder"])[0] if weight.name != "codes_at")
    tensors = subject_of(open_checkpoint(tmp_path / "c"), by).tensors
    planned = weights_on_disk(tensors, by, 2)
    assert planned["embedding"] == held == 2 * checkpoint.spec.decoder.vocab
    table = checkpoint.spec.decoder.vocab * checkpoint.spec.decoder.hidden
    assert planned["lm_head"] > table
    # In memory an engine has the head in a form of its own, and TensorRT's graph has it by columns.
    assert (
        weights_in_memory(tensors, by, 2)["embedding"]
        == weights_on_disk(untied(tensors), by, 2)["embedding"]
        == held + table
    )


def test_a_head_that_was_cut_off_is_one_clear_error(tmp_path: Path) -> None:
    checkpoint = quantized(tmp_path / "c", tied=True)
    rows(checkpoint, tmp_path / "out", "float32")
    data = tmp_path / "out" / "graphs" / "decoder.onnx.data"
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    with pytest.raises(BundleError, match="does not hold the embedding"):
        Embedding(tmp_path / "out" / "embedding.safetensors", checkpoint.spec.decoder.hidden, "float32")


@pytest.mark.parametrize("places", [[-4096], [1 << 40], [-(1 << 62)], [], [0, 0]])
def test_a_place_that_is_none_is_one_clear_error(places: list[int], tmp_path: Path) -> None:
    checkpoint = quantized(tmp_path / "c", tied=True)
    rows(checkpoint, tmp_path / "out", "float32")
    path = tmp_path / "out" / "embedding.safetensors"
    scales = open_file(path)["scales"]
    save_file({"scales": scales.rows(0, scales.shape[0]).copy(), "codes_at": np.array(places, np.int64)}, path)
    with pytest.raises(BundleError, match="does not hold the embedding"):
        Embedding(path, checkpoint.spec.decoder.hidden, "float32")
