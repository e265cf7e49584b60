"""Scales of quantized weights that can't be: no quantizer of ours writes a zero or a number that is none.

One dead scale of a large matrix hides below the noise of quantization, so the graphs' own files are looked through.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgekit.checkpoint.safetensors import open_file
from edgekit.errors import BundleError

if TYPE_CHECKING:
    import onnx


def dead_scales(graph: Path) -> list[str]:
    """List the layers in an ONNX graph of a bundle that have a scale of zero, or one that is no number.

    :class:`BundleError` where the graph can't be read.
    """
    import onnx  # 30 MiB that only a check needs

    try:
        tensors = onnx.load(str(graph), load_external_data=False).graph.initializer
        named = [tensor for tensor in tensors if tensor.name.endswith(".scales") and tensor.external_data]
        return [tensor.name.split(".weight.")[0] for tensor in named if _is_dead(graph, tensor)]
    except (OSError, ValueError, KeyError) as error:
        raise BundleError(f"{graph} can't be read: {error}", "Copy or build the bundle again.") from error
    except Exception as error:  # protobuf's errors share no public base class
        raise BundleError(f"{graph} is no graph: {error}", "Copy or build the bundle again.") from error


def dead_rows(embedding: Path) -> list[int]:
    """List the rows of an embedding table whose scale is zero or no number."""
    tensors = open_file(embedding)
    if "scales" not in tensors:
        return []
    scales = tensors["scales"].rows(0, tensors["scales"].shape[0])[:, 0]
    return [int(at) for at in np.flatnonzero(~(np.isfinite(scales) & (scales > 0)))]


def _is_dead(graph: Path, tensor: onnx.TensorProto) -> bool:
    from edgekit.export.lint.values import pieces

    return any(not (np.isfinite(scales) & (scales > 0)).all() for scales in pieces(tensor, graph.parent))
