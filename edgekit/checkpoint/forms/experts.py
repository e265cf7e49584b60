"""Mixtures of experts (Med-MoE, Mixtral): several MLPs in a layer and a gate that picks among them for each token.

Med-MoE's lie under ``mlp.deepspeed_moe.experts.deepspeed_experts.I`` with the gate ``mlp.deepspeed_moe.gate.wg``;
Mixtral's under ``block_sparse_moe.experts.I``, others' under ``mlp.experts.I``. EdgeKit's decoders are dense.
"""

from __future__ import annotations

import re

from edgekit.checkpoint.source import Source, printable
from edgekit.errors import CheckpointError

_EXPERT = re.compile(r"\.(?:deepspeed_moe|block_sparse_moe|experts|shared_experts?)\.")
_COUNTS = ("num_experts", "num_local_experts", "n_routed_experts")
_DENSE = "EdgeKit builds dense decoders only. Give it a dense model of the family: LLaVA-Med v1.5 or a TinyLLaVA."


def by_config(source: Source) -> CheckpointError | None:
    """Recognise Med-MoE's ``moe`` table and its kinds of model, or a number of experts."""
    for config in (source.config.values, source.config.values.get("text_config")):
        if not isinstance(config, dict):
            continue
        kind, table = config.get("model_type"), config.get("moe")
        if isinstance(kind, str) and kind.startswith("moe_"):
            return _error(source, f"config.json: model_type is {printable(kind[:60])}", "as Med-MoE's models do")
        if isinstance(table, dict) and table.get("moe_enable"):
            return _error(source, "config.json: moe_enable is set", "as Med-MoE's models do")
        for key in _COUNTS:
            if isinstance(count := config.get(key), int) and count > 1:
                return _error(source, f"config.json: {key} is {count}")
    return None


def by_tensors(source: Source) -> CheckpointError | None:
    """Recognise the experts' own tensors."""
    name = next((name for name in source.tensors if _EXPERT.search(name)), None)
    if name is None:
        return None
    return _error(source, printable(name[:120]), "as Med-MoE's models do" if "deepspeed_moe" in name else "")


def _error(source: Source, evidence: str, whose: str = "") -> CheckpointError:
    like = f", {whose}" if whose else ""
    return CheckpointError(
        f"{source.path} holds a mixture of experts{like} ({evidence}), which EdgeKit does not build", _DENSE
    )
