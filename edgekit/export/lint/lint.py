"""An ONNX graph and a TensorRT release → complaints: what it would refuse, or build slowly or wrongly; without it.

Weights stay where they are: only scales, zero points and integers are read, in pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import onnx

from edgekit.errors import EngineError
from edgekit.export.lint import rules
from edgekit.export.lint.operators import Version
from edgekit.export.lint.quantized import quantized
from edgekit.export.lint.view import Complaint, View, look

_JETPACK_6: Version = (10, 3)
_RULES: tuple[Callable[[View], Iterator[Complaint]], ...] = (
    rules.opset,
    rules.operators,
    rules.restrictions,
    rules.external_data,
    rules.types,
    rules.mixed_types,
    quantized,
    rules.data_dependent,
    rules.wide_integers,
    rules.wide_products,
)


def lint(model: onnx.ModelProto, version: Version = _JETPACK_6, folder: Path | None = None) -> list[Complaint]:
    """List all that TensorRT ``version`` (major, minor; 10.3 is JetPack 6.2's) would not build well of a graph.

    ``folder`` is where its external data lies, in the form of ``TensorProto.external_data``; without it, rules on
    values look only at what the graph itself holds. Takes element types from declarations and ONNX's inference;
    where neither knows one, nothing is said. Networks are taken to be strongly typed. Operators by onnx-tensorrt's
    ``docs/operators.md`` (see :mod:`~edgekit.export.lint.operators`). Raises nothing of its own.
    """
    view = look(model, version, folder)
    return [complaint for rule in _RULES for complaint in rule(view)]


def require_clean(path: Path, version: Version = _JETPACK_6) -> None:
    """Raise :class:`EngineError` with the first thing in the graph ``path`` that TensorRT would refuse.

    Its external data is looked for beside it, and not loaded. Warnings (:attr:`Complaint.warning`) don't count.
    """
    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError as error:
        raise EngineError(f"{path} can't be read: {error}", "Copy or build the bundle again.") from error
    except Exception as error:  # protobuf's errors share no public base class
        raise EngineError(f"{path} is no graph: {error}", "Copy or build the bundle again.") from error
    refusals = [complaint for complaint in lint(model, version, path.parent) if not complaint.warning]
    if refusals:
        release = "TensorRT " + ".".join(map(str, version))
        more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
        first = refusals[0]
        raise EngineError(f"{path} is not for {release}: at {first.name}: {first.sentence}{more}", first.remedy)
