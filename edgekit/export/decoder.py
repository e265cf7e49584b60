"""A LLaMA, Mistral or Phi decoder over a cache: rows of embeddings to the logits of one token of each row."""

from __future__ import annotations

from onnx import TensorProto

from edgekit.checkpoint.spec import DecoderSpec
from edgekit.export.spelling import FLOAT32, Attention, Spelling


def build_decoder(say: Spelling, decoder: DecoderSpec, context: int) -> None:
    """Build the graph from ``inputs_embeds`` ``[rows, length, hidden]`` (and what the spelling's cache needs) to
    ``logits``.

    Logits are float32 ``[rows, vocab]``, those of the token at ``logits_at`` (int64, a place within this
    call). From the last layer's attention on, only that token goes further, since nothing reads the others.
    """
    residual = say.input("inputs_embeds", ["rows", "length", decoder.hidden])
    logits_at = say.graph.input("logits_at", TensorProto.INT64, [])
    attention = say.cached_attention(decoder, context)
    normed = say.norm(residual, "decoder.layers.0.norm1", decoder.norm, decoder.norm_eps)
    for index in range(decoder.layers):
        last = index == decoder.layers - 1
        x, residual = layer(say, normed, residual, index, decoder, attention, logits_at if last else None)
        following = "decoder.norm" if last else f"decoder.layers.{index + 1}.norm1"
        normed, residual = say.add_norm(x, residual, following, decoder.norm, decoder.norm_eps)
    logits = say.linear(normed, "decoder.lm_head")
    say.output(logits, "logits", ["rows", decoder.vocab], FLOAT32)


def layer(
    say: Spelling,
    normed: str,
    residual: str,
    index: int,
    decoder: DecoderSpec,
    attention: Attention,
    read: str | None = None,
) -> tuple[str, str]:
    """Write one layer on ``norm1(residual)``: return what it adds, and the residual to add it to.

    ``read`` is a token's place (a scalar of the graph): from the attention on, only that one goes further.
    """
    name = f"decoder.layers.{index}"
    qkv = say.linear(normed, f"{name}.attn.qkv", [f"{name}.attn.{part}" for part in "qkv"])
    attended = attention(qkv, f"{name}.attn", index)
    if read:
        attended, residual = [say.token(x, read, f"{x}.read") for x in (attended, residual)]
    attended = say.linear(attended, f"{name}.attn.o")
    if decoder.parallel:
        normed = say.token(normed, read, f"{normed}.read") if read else say.apart(normed, f"{normed}.again")
        return say.add(attended, _mlp(say, normed, name, decoder), f"{name}.parallel"), residual
    normed, residual = say.add_norm(attended, residual, f"{name}.norm2", decoder.norm, decoder.norm_eps)
    return _mlp(say, normed, name, decoder), residual


def _mlp(say: Spelling, x: str, name: str, decoder: DecoderSpec) -> str:
    if decoder.gated:
        x = say.linear(x, f"{name}.mlp.gate_up", [f"{name}.mlp.gate", f"{name}.mlp.up"])
        x = say.gate(x, decoder.activation, decoder.ff, f"{name}.mlp.act")
    else:
        x = say.activate(say.linear(x, f"{name}.mlp.up"), decoder.activation, f"{name}.mlp.act")
    return say.linear(x, f"{name}.mlp.down")
