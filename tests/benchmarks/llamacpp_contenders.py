"""llama.cpp's side of the perplexity table: the same weights as GGUF, quantized by llama.cpp itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.spec import DecoderSpec
from tests.benchmarks.requantized import THREADS, Sizes, whole
from tests.benchmarks.windows import Windows

CHILD = Path(__file__).with_name("llamacpp_perplexity.py")
KINDS = ("F32", "Q8_0", "Q4_0", "Q4_K_M")
_PARTS = {
    "norm1": "attn_norm",
    "attn.q": "attn_q",
    "attn.k": "attn_k",
    "attn.v": "attn_v",
    "attn.o": "attn_output",
    "norm2": "ffn_norm",
    "mlp.gate": "ffn_gate",
    "mlp.up": "ffn_up",
    "mlp.down": "ffn_down",
}


def losses(environment: Path, folder: Path, checkpoint: Checkpoint, kind: str, windows: Windows) -> list[float]:
    """Each window's mean loss by llama.cpp; models are kept in ``folder``.

    ``environment`` is the virtual environment that holds `llama_cpp`.
    """
    source, tokens = file(folder, "F32"), folder / "windows.npy"
    if not source.exists():
        write(checkpoint, source)
    np.save(tokens, windows)
    command: list[str | Path] = [
        environment / "bin" / "python",
        CHILD,
        file(folder, kind),
        tokens,
        "--threads",
        str(THREADS),
    ]
    if kind != "F32":
        command += ["--quantize", kind, source]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: list[float] = json.loads(done.stdout)["losses"]
    return found


def file(folder: Path, kind: str) -> Path:
    return folder / f"{kind}.gguf"


def sizes(path: Path) -> Sizes:
    """Bytes of a GGUF file's tensors; a tied embedding is stored once."""
    tensors = {tensor.name: int(tensor.n_bytes) for tensor in gguf.GGUFReader(path).tensors}
    layers = sum(size for name, size in tensors.items() if name.startswith("blk.") or name == "output_norm.weight")
    return Sizes(sum(tensors.values()), layers)


def kinds(path: Path) -> dict[str, str]:
    """How a GGUF file stores its matrices, by part: {"ffn_down": "Q6_K, Q4_K", …}."""
    found: dict[str, set[str]] = {}
    for tensor in gguf.GGUFReader(path).tensors:
        if len(tensor.shape) > 1:
            found.setdefault(tensor.name.split(".")[-2], set()).add(tensor.tensor_type.name)
    return {part: ", ".join(sorted(types)) for part, types in found.items()}


def write(checkpoint: Checkpoint, path: Path) -> None:
    """A checkpoint's language model as a GGUF file in fp32 without a tokenizer, whole or not at all."""
    decoder, beside = checkpoint.spec.decoder, path.with_suffix(".part")
    assert decoder.kind == "llama"
    assert decoder.rope.scaling == "none"
    writer = gguf.GGUFWriter(beside, "llama")
    writer.add_context_length(decoder.context)
    writer.add_embedding_length(decoder.hidden)
    writer.add_block_count(decoder.layers)
    writer.add_feed_forward_length(decoder.ff)
    writer.add_head_count(decoder.heads)
    writer.add_head_count_kv(decoder.kv_heads)
    writer.add_rope_dimension_count(decoder.rope.dim)
    writer.add_rope_freq_base(decoder.rope.theta)
    writer.add_layer_norm_rms_eps(decoder.norm_eps)
    writer.add_vocab_size(decoder.vocab)
    writer.add_tokenizer_model("no_vocab")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for name, weight in checkpoint.tensors.items():
        if name.startswith("decoder.") and not (decoder.tied and name == "decoder.lm_head.weight"):
            writer.add_tensor(_name(name), _spelled(name, whole(weight), decoder))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    beside.rename(path)


def _name(name: str) -> str:
    ends = {"decoder.embedding.weight": "token_embd.weight", "decoder.norm.weight": "output_norm.weight"}
    if name in ends:
        return ends[name]
    if name == "decoder.lm_head.weight":
        return "output.weight"
    _, _, index, part = name.removesuffix(".weight").split(".", 3)
    return f"blk.{index}.{_PARTS[part]}.weight"


def _spelled(name: str, values: npt.NDArray[np.float32], decoder: DecoderSpec) -> npt.NDArray[np.float32]:
    """llama.cpp rotates neighbours where transformers rotates halves, so rows of queries and keys interleave."""
    if not name.endswith((".attn.q.weight", ".attn.k.weight")):
        return values
    halves = values.reshape(-1, 2, decoder.head_dim // 2, values.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(values.shape))
