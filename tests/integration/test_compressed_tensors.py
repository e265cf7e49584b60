"""What compressed-tensors itself compresses is read as the numbers that it itself turns it back into."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.packed import is_packed
from edgekit.checkpoint.prequantized.fold import fold
from edgekit.checkpoint.safetensors import open_file
from edgekit.checkpoint.source import Source

# Without its dependencies: torch and transformers are the tests' own.
PACKAGES = ("compressed-tensors==0.20.1", "loguru==0.7.3", "pydantic==2.14.4", "pydantic-core==2.50.5")
SMALL = ("annotated-types==0.8.0", "typing-inspection==0.4.5", "typing-extensions==4.16.0")
COMPRESS = """
import json, sys
from pathlib import Path
import torch
from compressed_tensors.compressors.pack_quantized.base import PackedQuantizationCompressor as Packed
from compressed_tensors.quantization import QuantizationArgs, QuantizationConfig, QuantizationScheme
from safetensors.torch import save_file

torch.manual_seed(0)
for number, (kind, group, symmetric) in enumerate(json.loads(sys.argv[2])):
    out, dtype = Path(sys.argv[1], str(number)), getattr(torch, kind)
    out.mkdir()
    size = {"strategy": "channel"} if group == -1 else {"strategy": "group", "group_size": group}
    args = QuantizationArgs(num_bits=4, type="int", symmetric=symmetric, **size)
    scheme = QuantizationScheme(targets=["Linear"], weights=args)
    n, k = 24, 250 if group == -1 else 256
    groups = 1 if group == -1 else k // group
    scale = (torch.rand(n, groups) * 0.01 + 0.001).to(dtype)
    zero = (torch.zeros(n, groups) if symmetric else torch.randint(-8, 8, (n, groups))).to(torch.int8)
    given = {"weight": (torch.randn(n, k) * 0.03).to(dtype), "weight_scale": scale, "weight_zero_point": zero}
    packed = Packed.compress(given, scheme)
    save_file({f"x.{name}": tensor.contiguous() for name, tensor in packed.items()}, out / "model.safetensors")
    save_file({"x": Packed.decompress(packed, scheme)["weight"].float()}, out / "plain.safetensors")
    config = QuantizationConfig(config_groups={"group_0": scheme}, format="pack-quantized").model_dump(mode="json")
    (out / "config.json").write_text(json.dumps({"quantization_config": config}))
"""


CASES = [
    ("float16", 32, True),
    ("float16", 128, False),
    ("bfloat16", 64, True),
    ("bfloat16", 128, False),
    ("float32", 128, False),
    ("float16", -1, True),
]


@pytest.fixture(scope="module")
def compressed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each case, with what the package packed, and with what it unpacked again."""
    package, out = tmp_path_factory.mktemp("package"), tmp_path_factory.mktemp("compressed")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(package)]
    subprocess.run([*install, *PACKAGES, *SMALL], check=True, timeout=300)
    environment = os.environ | {"PYTHONPATH": str(package)}
    command = [sys.executable, "-c", COMPRESS, str(out), json.dumps(CASES)]
    subprocess.run(command, check=True, env=environment, timeout=300)
    return out


@pytest.mark.system
@pytest.mark.parametrize("number", range(len(CASES)))
def test_values_are_those_of_the_package(compressed: Path, number: int) -> None:
    """A product is rounded to the scales' dtype there; here it is not, and codes and scales are kept."""
    folder, symmetric = compressed / str(number), CASES[number][2]
    config = Fields(json.loads((folder / "config.json").read_text()), "config.json")
    stored = open_file(folder / "model.safetensors")
    folded, notes = fold(Source(folder, config, stored), requantize=not symmetric)
    weight: Any = folded.tensors["x.weight"]
    assert is_packed(weight) == symmetric == (not notes)
    values = weight.packed_rows(0, 24).dequantize() if is_packed(weight) else weight.rows(0, 24)
    rounded = values.astype(stored["x.weight_scale"].dtype).astype(np.float32)
    np.testing.assert_array_equal(rounded, load_file(folder / "plain.safetensors")["x"])
