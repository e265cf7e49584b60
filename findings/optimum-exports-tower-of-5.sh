#!/usr/bin/env bash
# optimum-onnx 0.1.0 exports a CLIP tower that transformers 5.23.0 saved with random weights, and ends with 0.
#
# Expected: the saved weights, or an error. optimum-onnx needs transformers < 4.58, which does not know the names that
# version 5 saves ("vision_model." is left out), fills the tower at random and warns; optimum goes on, and validates the
# graph against that random model. Seen: two exports of one folder, exit code 0 both times,
#   export 1: patch embedding off by 0.11919, where the largest weight is 0.08149
#   export 2: patch embedding off by 0.11491, where the largest weight is 0.08149
# Why it matters: optimum is EdgeKit's exporter of last resort for towers, and must not be given one of version 5.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.13.0 transformers==4.57.6 optimum==2.1.0 optimum-onnx==0.1.0 onnx==1.23.2 onnxruntime==1.32.0 pillow==13.0.0 numpy==2.4.6
"$work/venv/bin/pip" install -q --target "$work/five" transformers==5.23.0

cat > "$work/save.py" <<'PY'
import sys, torch, transformers as t
torch.manual_seed(0)
sizes = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2)
t.CLIPVisionModel(t.CLIPVisionConfig(**sizes, image_size=28, patch_size=14)).save_pretrained(sys.argv[1])
PY
cat > "$work/compare.py" <<'PY'
import sys
import numpy as np, onnx
from safetensors.numpy import load_file
tower, graph, number = sys.argv[1:]
saved = next(v for k, v in load_file(tower + "/model.safetensors").items() if "patch_embedding.weight" in k)
initializers = onnx.load(graph + "/model.onnx").graph.initializer
exported = next(onnx.numpy_helper.to_array(i) for i in initializers if tuple(i.dims) == saved.shape)
off = np.abs(exported - saved).max()
print(f"export {number}: patch embedding off by {off:.5f}, where the largest weight is {np.abs(saved).max():.5f}")
sys.exit(bool(off < 0.01))
PY
PYTHONPATH="$work/five" "$work/venv/bin/python" "$work/save.py" "$work/tower" 2> /dev/null
for number in 1 2; do
    "$work/venv/bin/optimum-cli" export onnx --model "$work/tower" --task feature-extraction "$work/onnx$number" > "$work/log" 2>&1
    "$work/venv/bin/python" "$work/compare.py" "$work/tower" "$work/onnx$number" "$number"
done
