"""Projectors of every depth against torch."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.spec import ProjectorSpec
from edgekit.export.graph import Graph
from edgekit.export.ort import OrtSpelling
from edgekit.export.projector import build_projector
from edgekit.export.spelling import FLOAT32, Spelling
from edgekit.export.trt import TrtSpelling
from edgekit.export.write import write_graph
from tests.unit.export.running import session
from tests.unit.quantize.fakes import Stored


@pytest.mark.parametrize("spelling", [OrtSpelling, TrtSpelling])
@pytest.mark.parametrize("widths", [(24, 32), (24, 40, 32), (24, 16, 40, 32)])
def test_an_activation_stands_between_two_linears_and_nowhere_else(
    widths: tuple[int, ...], spelling: type[Spelling], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    linears = [nn.Linear(narrow, wide) for narrow, wide in pairwise(widths)]
    oracle = nn.Sequential(linears[0], *(module for linear in linears[1:] for module in (nn.GELU(), linear)))
    tensors: dict[str, Weight] = {
        f"projector.{index}.{name}": Stored(value.detach().numpy())
        for index, linear in enumerate(linears)
        for name, value in linear.named_parameters()
    }
    graph = Graph("projector")
    build_projector(spelling(graph, tensors, FLOAT32), ProjectorSpec(widths), 5)
    write_graph(graph, tmp_path / "projector.onnx")
    features = torch.randn(2, 5, 24)
    (embeds,) = session(tmp_path / "projector.onnx").run(None, {"features": features.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(embeds, oracle(features).numpy(), atol=1e-5)
