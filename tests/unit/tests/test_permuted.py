"""A permuted Llama computes what it did, and a grid that its weights were rounded to is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgekit.checkpoint.packed import PackedWeight
from edgekit.quantize import rtn
from tests.permuted import permute

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
GROUP = 32


def rounded(weight: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    codes, scales = rtn.int4(weight, GROUP)
    return PackedWeight(4, GROUP, weight.shape[1], codes, scales).dequantize()


def small(tied: bool) -> Any:
    """A random Llama whose linears lie on the grid that 4 bits for 32 inputs give."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        hidden_size=192,
        intermediate_size=320,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=64,
        vocab_size=99,
        initializer_range=0.1,
        tie_word_embeddings=tied,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    for name, weight in model.named_parameters():
        if weight.dim() == 1:
            weight.data = 1 + 0.3 * torch.randn_like(weight)
        elif "proj" in name:
            weight.data = torch.from_numpy(rounded(weight.detach().numpy()))
    return model


def errors(model: Any) -> dict[str, float]:
    """Relative root mean square error of rounding each linear once more."""
    weights = {name: p.detach().numpy() for name, p in model.named_parameters() if "proj" in name}
    return {name: float(np.linalg.norm(rounded(w) - w) / np.linalg.norm(w)) for name, w in weights.items()}


@pytest.mark.parametrize("tied", [True, False])
def test_it_computes_the_same_and_has_to_be_rounded_anew(tied: bool) -> None:
    model = small(tied)
    tokens = torch.arange(2 * 40).reshape(2, 40) * 7 % 99
    with torch.no_grad():
        before, near = model(tokens).logits, errors(model)
        permute(model, seed=1)
        after, far = model(tokens).logits, errors(model)
    assert float((after - before).abs().max()) <= 1e-5 * float(before.abs().max())
    assert max(near.values()) < 0.002
    assert min(far.values()) > 0.03


def test_every_order_is_another_one() -> None:
    model, orders = small(tied=False), small(tied=False)
    permute(model, seed=1)
    for (name, was), (_, now) in zip(orders.named_parameters(), model.named_parameters(), strict=True):
        assert not torch.equal(was, now), name
        assert torch.equal(was.flatten().sort().values, now.flatten().sort().values)
    again = small(tied=False)
    permute(again, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), model.parameters(), strict=True))
