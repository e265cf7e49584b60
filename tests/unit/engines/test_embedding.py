"""The embedding on the host: rows of each form that its file has, and files that hold none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from edgekit.checkpoint.packed import Array
from edgekit.engines.embedding import Embedding
from edgekit.errors import BundleError

VOCAB, HIDDEN, START = 9, 5, 64
RNG = np.random.default_rng(0)
CODES = RNG.integers(-127, 128, (VOCAB, HIDDEN)).astype(np.int8)
SCALES = RNG.uniform(0.01, 0.1, (VOCAB, 1)).astype(np.float16)
TOKENS = [3, 0, 8, 3]


def write(folder: Path, head: bytes = b"", **tensors: Array) -> Path:
    (folder / "graphs").mkdir(exist_ok=True)
    (folder / "graphs" / "decoder.onnx.data").write_bytes(head)
    save_file(tensors, folder / "embedding.safetensors")
    return folder / "embedding.safetensors"


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_plain_rows_are_converted_to_the_activations(dtype: str, tmp_path: Path) -> None:
    weight = RNG.normal(size=(VOCAB, HIDDEN)).astype(np.float16)
    rows = Embedding(write(tmp_path, weight=weight), HIDDEN, dtype).rows(TOKENS)
    assert rows.dtype == dtype
    np.testing.assert_array_equal(rows, weight[TOKENS])


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_codes_of_its_own_and_a_head_s_are_the_same_rows(dtype: str, tmp_path: Path) -> None:
    expected = (CODES.astype(np.float32) * SCALES.astype(np.float32))[TOKENS].astype(dtype)
    own = Embedding(write(tmp_path, codes=CODES, scales=SCALES), HIDDEN, dtype)
    np.testing.assert_array_equal(own.rows(TOKENS), expected)
    head = bytes(START) + (CODES.astype(np.int16) + 128).astype(np.uint8).tobytes()
    shared = Embedding(write(tmp_path, head, codes_at=np.array([START]), scales=SCALES), HIDDEN, dtype)
    np.testing.assert_array_equal(shared.rows(TOKENS), expected)


@pytest.mark.parametrize("start", [[START], [-1], [2**62], [0, 1]])
def test_a_head_that_does_not_hold_the_codes_is_one_error(start: list[int], tmp_path: Path) -> None:
    path = write(tmp_path, bytes(VOCAB * HIDDEN), codes_at=np.array(start), scales=SCALES)
    with pytest.raises(BundleError, match="does not hold the embedding's codes"):
        Embedding(path, HIDDEN, "float32")


def test_a_file_without_an_embedding_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="holds no embedding"):
        Embedding(write(tmp_path, scales=SCALES), HIDDEN, "float32")
