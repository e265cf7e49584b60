"""The operators and opsets that each release of TensorRT 10 documents.

From onnx-tensorrt's ``docs/operators.md``, the rows marked Y, of its releases 10.1 (commit 96e7811) and 10.15, and
``docs/Changelog.md``, which dates what came between; 10.2 and 10.3 added none. TensorRT-RTX counts its versions anew
(1.x), so ask for the TensorRT that it was made from.
"""

from __future__ import annotations

from typing import TypeAlias

Version: TypeAlias = tuple[int, int]

_NAMES = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast CastLike Ceil
Celu Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DeformConv DepthToSpace
DequantizeLinear Div Dropout Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements
GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample
GroupNormalization HardSigmoid HardSwish Hardmax Identity If ImageScaler InstanceNormalization IsInf IsNaN
LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop LpNormalization LpPool MatMul Max
MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg NonMaxSuppression NonZero Not OneHot Or PRelu
Pad ParametricSoftplus Pow QuantizeLinear RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike
Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign Round ScaledTanh Scan Scatter
ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign
SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze
Upsample Where Xor
"""
_FROM_THE_START = frozenset(_NAMES.split())
_ADDED: dict[str, Version] = {
    **dict.fromkeys(("BlackmanWindow", "HammingWindow", "HannWindow"), (10, 4)),
    "STFT": (10, 5),
    "Attention": (10, 14),
    **dict.fromkeys(("RMSNormalization", "RotaryEmbedding", "TensorScatter"), (10, 15)),
}

# 10.0 to 10.3 document 20, yet INT4 needs 21 and NVIDIA's own exporter writes it. 10.14 must know 23, Attention's;
# 24 is documented for 10.15, 25 for 11. What lies between 10.3 and 10.14 could not be found, so it stays at 21.
_OPSETS: tuple[tuple[Version, int], ...] = (((11, 0), 25), ((10, 15), 24), ((10, 14), 23))
FIRST_OPSET = 9

# Inputs that must be constants, and the first release that takes a computed one.
CONSTANT_INPUTS: dict[str, tuple[int, Version | None]] = {
    "CumSum": (1, None),
    "OneHot": (1, None),
    "Pad": (3, (10, 4)),
    "Slice": (3, (10, 3)),
    "Squeeze": (1, (10, 7)),
    "Unsqueeze": (1, (10, 7)),
    **{name: (1, None) for name in _FROM_THE_START if name.startswith("Reduce")},
}

# Their output's shape depends on the data: memory can't be planned, and no such size is known as the engine is built.
DATA_DEPENDENT = frozenset({"Compress", "NonMaxSuppression", "NonZero", "Unique"})


def since(operator: str) -> Version | None:
    """Return the release of TensorRT 10 that brought a standard operator, or None where none has."""
    return (10, 0) if operator in _FROM_THE_START else _ADDED.get(operator)


def last_opset(version: Version) -> int:
    """Return the newest opset that a release is known to read."""
    return next((opset for release, opset in _OPSETS if version >= release), 21)
