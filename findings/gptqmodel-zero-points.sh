#!/usr/bin/env bash
# GPTQModel reads its own GPTQ checkpoints in two ways: what it runs differs from what its dequantizer writes out.
#
# Version:  gptqmodel 7.7.0 (the source distribution; torch 2.13.0 on a CPU is enough)
# Expected: A checkpoint that GPTQModel saved in the format "gptq" means one thing. Its loader and
#           gptqmodel.utils.model_dequant (`dequantize_model`), which turns the same folder into plain weights, agree.
# Happens:  The format "gptq" stores zero points less one. GPTQModel takes one off a word of eight nibbles at once, so a
#           zero point of 0 borrows from its neighbour: 0, 8, 8, 8, 8, 8, 8, 8 (88888880) is saved as 7777776f. Its
#           loader adds one to the word, carries and all, and gets 0, 8, 8… again. Its dequantizer adds one to each
#           nibble, and gets 0, 7, 8…: the output beside one with a zero point of 0 is off by a whole scale.
# Seen:     saved as gptq       7777776f
#           the loader reads    [0, 8, 8, 8, 8, 8, 8, 8]
#           the dequantizer     [0, 7, 8, 8, 8, 8, 8, 8]
#           largest difference of a weight 0.0078125, the scale
# Why:      Only asymmetric checkpoints have zero points of 0, and nothing in the file tells the readings apart.
#           EdgeKit reads such words as GPTQModel's loader does where quantization_config.meta.quantizer names
#           GPTQModel, and refuses them otherwise (edgekit/checkpoint/prequantized/fold.py).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet torch==2.13.0 transformers==5.24.0 accelerate datasets pillow safetensors setuptools wheel \
    pypcre logbar tokenicer device-smi threadpoolctl defuser requests
venv/bin/pip download --quiet --no-deps --no-build-isolation --no-binary :all: gptqmodel==7.7.0
tar xzf gptqmodel-7.7.0.tar.gz

cat > look.py <<'PY'
import sys
from pathlib import Path

import torch
from gptqmodel.nn_modules.qlinear.torch import TorchLinear
from gptqmodel.quantization import QuantizeConfig
from gptqmodel.utils import model as loader
from gptqmodel.utils import model_dequant as dequantizer
from safetensors.torch import save_file

sizes = {"bits": 4, "group_size": 32, "in_features": 32, "out_features": 32, "pack_dtype": torch.int32}
linear = TorchLinear(sym=False, desc_act=False, bias=False, register_buffers=True, **sizes)
linear.qzeros = dequantizer.pack_cols(torch.tensor([[0] + [8] * 31]), 4, pack_dtype=torch.int32)
linear.qweight = torch.full_like(linear.qweight, 0x33333333)
linear.scales = torch.full_like(linear.scales, 2.0**-7)

loader.convert_gptq_v2_to_v1_format_module(linear, QuantizeConfig(bits=4, group_size=32, sym=False))
leaves = ("qweight", "qzeros", "scales", "g_idx")
save_file({f"x.{leaf}": getattr(linear, leaf).clone() for leaf in leaves}, "saved.safetensors")
saved = f"{int(linear.qzeros[0, 0]) & 0xFFFFFFFF:08x}"

config = {"quant_method": "gptq", "bits": 4, "group_size": 32, "sym": False, "checkpoint_format": "gptq"}
plain = dequantizer.convert_gptq_file(Path("saved.safetensors"), torch.float32, config, "cpu")["x.weight"]
loader.convert_gptq_v1_to_v2_format_module(linear, 4, torch.int32)
zeros = dequantizer.unpack_cols(linear.qzeros, 4)[0, :8]
run = (3 - zeros).float() * 2.0**-7

with open("seen", "w") as file:
    print("saved as gptq      ", saved, file=file)
    print("the loader reads   ", zeros.tolist(), file=file)
    print("the dequantizer    ", [round(3 - value) for value in (plain[:8, 0] * 2.0**7).tolist()], file=file)
    print("largest difference of a weight", float((plain[:8, 0] - run).abs().max()), file=file)
sys.exit(saved != "7777776f" or torch.equal(plain[:8, 0], run))
PY
PYTHONPATH=gptqmodel-7.7.0 venv/bin/python look.py >log 2>&1 || { cat log; exit 1; }
cat seen
