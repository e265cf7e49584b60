"""Every row of docs/reads.md's section "Quantized by others": such weights are read, or called by their name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.packed import is_packed
from edgekit.checkpoint.prequantized.fold import fold
from edgekit.checkpoint.prequantized.matrix import UnpackedMatrix
from edgekit.checkpoint.safetensors import open_weights
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError
from tests.prequantized import Linear
from tests.quantized_by_others import MAKERS, Form, N
from tests.reads import rows

VERDICTS = rows("Quantized by others")


def test_every_row_is_made() -> None:
    assert MAKERS.keys() == VERDICTS.keys()


@pytest.mark.parametrize("row", MAKERS)
def test_a_row_says_what_happens(tmp_path: Path, row: str) -> None:
    forms = MAKERS[row]()
    verdict, _, said = VERDICTS[row].partition(": ")
    for form in forms if isinstance(forms, list) else [forms]:
        source = written(tmp_path, form)
        if verdict == "refused":
            with pytest.raises(CheckpointError) as caught:
                fold(source, form.requantize)
            assert said in str(caught.value)
            assert "original checkpoint" in caught.value.hint or "published one" in caught.value.hint
            continue
        folded, notes = fold(source, form.requantize)
        assert any(said in note for note in notes) if said else not notes
        if form.linear is not None:
            assert_holds(folded.tensors["x.weight"], form.linear, row)


def assert_holds(weight: Any, linear: Linear, row: str) -> None:
    assert is_packed(weight) != ("--requantize" in row)
    if isinstance(weight, UnpackedMatrix):
        assert weight.kind == ("wide scales" if "float16 can't hold" in row else "asymmetric")
    for start, stop in ((0, N), (3, 17)):
        values = weight.packed_rows(start, stop).dequantize() if is_packed(weight) else weight.rows(start, stop)
        np.testing.assert_array_equal(values, linear.weight()[start:stop])


def written(path: Path, form: Form) -> Source:
    for file in path.iterdir():
        file.unlink()
    save_file({name: np.ascontiguousarray(array) for name, array in form.tensors.items()}, path / "model.safetensors")
    config = form.config | ({"quantization_config": form.quantization} if form.quantization else {})
    for name, document in ({"config.json": config} | form.files).items():
        (path / name).write_text(json.dumps(document))
    return Source(path, Fields(config, str(path / "config.json")), open_weights(path))
