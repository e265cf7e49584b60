#!/bin/bash
# ONNX Runtime 1.32.0: a session's entry with a misspelt key, and one set to "true", are taken and do nothing.
#
# Expected: an error or a warning. The runtime's header of keys lists them all, and says "0" and "1" of each that is a
#   switch; Python's True becomes "true" or "True" in many a wrapper and YAML file.
# Real: add_session_config_entry and the session accept both without a warning; at the most verbose level the log lists
#   them as they were given, and says no more. Keys outside the list are allowed, since custom operators may have their
#   own; those with the runtime's own prefix "session." are not told apart from them.
#
# Seen (whether the packed weight of a MatMulNBits is saved with the graph, on an x86-64 processor with AVX2; and whether
#   a warning or an error names the entry):
#   session.save_external_prepacked_constant_initializers = 1: saved True, a warning False
#   session.save_external_prepacked_constant_initializer = 1: saved False, a warning False
#   session.save_external_prepacked_constant_initializers = true: saved False, a warning False
#
# Why it matters: EdgeKit's compile finds out by trying whether a runtime saves packed weights. An entry that a release
#   renames, or that we misspell, looks just like a runtime that can't, and costs every device its mapped weights in
#   silence. So tests require packed weights of each release that could save them once, and look for their keys.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2
cat > "$folder/save.py" <<'PYTHON'
"""Save a graph with one entry set: KEY VALUE FOLDER. Exits with 3 where the packed weight is not saved."""

import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

key, value, folder = sys.argv[1:]
size = 256
codes = numpy_helper.from_array(np.full((size, size // 32, 16), 0x7B, np.uint8), "codes")
scales = numpy_helper.from_array(np.ones((size, size // 32), np.float32), "scales")
attributes = {"K": size, "N": size, "bits": 4, "block_size": 32, "accuracy_level": 4}
node = helper.make_node("MatMulNBits", ["x", "codes", "scales"], ["y"], domain="com.microsoft", **attributes)
ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name in "xy"]
graph = helper.make_graph([node], "linear", ends[:1], ends[1:], [codes, scales])
domains = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
model = helper.make_model(graph, opset_imports=domains, ir_version=10)

options = onnxruntime.SessionOptions()
options.log_severity_level = 0
options.optimized_model_filepath = f"{folder}/saved.onnx"
options.add_session_config_entry("session.optimized_model_external_initializers_file_name", "saved.data")
options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "64")
options.add_session_config_entry(key, value)
onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
saved = onnx.load(f"{folder}/saved.onnx", load_external_data=False).graph.initializer
sys.exit(0 if any(entry.key == "prepacked_0" for tensor in saved for entry in tensor.external_data) else 3)
PYTHON
right=session.save_external_prepacked_constant_initializers
save() { # KEY VALUE: the exit code of save.py, and what the runtime logs in $folder/log
    "$folder/venv/bin/python" "$folder/save.py" "$1" "$2" "$folder" 2> "$folder/log" && code=0 || code=$?
    saved=$([ "$code" = 0 ] && echo True || echo False)
    told=$(grep -E '\[(W|E):' "$folder/log" | grep -q "${1%s}" && echo True || echo False)
    echo "$1 = $2: saved $saved, a warning $told"
    [ "$code" = 0 ] || [ "$code" = 3 ] || { cat "$folder/log"; exit 1; }
}
save "$right" 1
[ "$saved" = True ] || { echo "This has changed: this runtime does not save packed weights here."; exit 1; }
save "${right%s}" 1
[ "$saved $told" = "False False" ] || { echo "This has changed."; exit 1; }
save "$right" true
[ "$saved $told" = "False False" ] || { echo "This has changed."; exit 1; }
