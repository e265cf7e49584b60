"""The bytes of a bundle's weights, counted in its files: what a plan's arithmetic is held against."""

from __future__ import annotations

from collections import Counter

from edgekit.bundle import Bundle
from edgekit.checkpoint.checkpoint import component
from edgekit.checkpoint.safetensors import open_file
from edgekit.errors import BundleError

_EMBEDDING = "embedding.safetensors"


def counted_weights(bundle: Bundle) -> dict[str, int]:
    """Count the bytes in memory of each component's weights: every tensor outside its graph, no arithmetic of shapes.

    Numbers that lie there in 16 bits have the activations' width in memory. The embedding stays as its file has it;
    where that is a tied head's data, those codes are mapped beside what an engine makes of the head.
    """
    import onnx  # 20 MB that a device's answers never need

    wide = 4 if bundle.manifest.target.activations == "float32" else 2
    counted: Counter[str] = Counter()
    for name in sorted(bundle.manifest.files):
        if not name.endswith(".onnx"):
            continue
        try:
            graph = onnx.load(str(bundle.file(name)), load_external_data=False).graph
        except Exception as error:  # protobuf's errors share no base class with anything
            raise BundleError(f"{bundle.path / name} is no ONNX graph", "Copy or build the bundle again.") from error
        for tensor in graph.initializer:
            length = next((int(entry.value) for entry in tensor.external_data if entry.key == "length"), 0)
            half = tensor.data_type in (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
            counted[component(tensor.name)] += length // 2 * wide if half else length
    counted["embedding"] += _embedding_bytes(bundle)
    return {name: size for name, size in counted.items() if size}


def _embedding_bytes(bundle: Bundle) -> int:
    tensors = open_file(bundle.file(_EMBEDDING))
    if "codes_at" not in tensors:
        return sum(tensor.nbytes for tensor in tensors.values())
    scales = tensors["scales"]
    return scales.nbytes + scales.shape[0] * bundle.manifest.spec.decoder.hidden
