"""Write random-weight GGUF files of published shapes, for measuring llama.cpp without its checkpoints.

Runs in the environment that holds `gguf`, and `llama_cpp` for text:
    ENV/bin/python llamacpp_models.py OUT_DIR [--what text vision server] [--threads 2]
Writes tinyllama-{f16,q4_0,q8_0}.gguf and clip-l-336-{f16,q8_0}.gguf, or for a server tinyllava-f16.gguf, which has
words, and siglip-384-f16.gguf, both of TinyLLaVA-1.5B's shape; prints one JSON line for each.
Weights are normal, 0.02 wide: speed does not depend on them, and activations stay finite.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

HIDDEN, LAYERS, HEADS, KV_HEADS, FF, VOCAB, CONTEXT = 2048, 22, 32, 4, 5632, 32000, 2048
PATCH = 14
Shapes = Iterator[tuple[str, tuple[int, ...]]]


@dataclass(frozen=True, kw_only=True)
class Tower:
    hidden: int
    layers: int
    ff: int
    image: int
    mean: list[float]
    std: list[float]
    siglip: bool


CLIP = Tower(
    hidden=1024,
    layers=24,
    ff=4096,
    image=336,
    mean=[0.48145466, 0.4578275, 0.40821073],
    std=[0.26862954, 0.26130258, 0.27577711],
    siglip=False,
)
SIGLIP = Tower(hidden=1152, layers=27, ff=4304, image=384, mean=[0.5] * 3, std=[0.5] * 3, siglip=True)


def text_shapes() -> Shapes:
    kv = HIDDEN // HEADS * KV_HEADS
    yield "token_embd.weight", (VOCAB, HIDDEN)
    for n in range(LAYERS):
        yield f"blk.{n}.attn_norm.weight", (HIDDEN,)
        yield f"blk.{n}.attn_q.weight", (HIDDEN, HIDDEN)
        yield f"blk.{n}.attn_k.weight", (kv, HIDDEN)
        yield f"blk.{n}.attn_v.weight", (kv, HIDDEN)
        yield f"blk.{n}.attn_output.weight", (HIDDEN, HIDDEN)
        yield f"blk.{n}.ffn_norm.weight", (HIDDEN,)
        yield f"blk.{n}.ffn_gate.weight", (FF, HIDDEN)
        yield f"blk.{n}.ffn_up.weight", (FF, HIDDEN)
        yield f"blk.{n}.ffn_down.weight", (HIDDEN, FF)
    yield "output_norm.weight", (HIDDEN,)
    yield "output.weight", (VOCAB, HIDDEN)


def vision_shapes(tower: Tower) -> Shapes:
    """A tower and LLaVA's two-layer projector; llama.cpp itself skips the last layer."""
    hidden, patches = tower.hidden, (tower.image // PATCH) ** 2
    yield "v.patch_embd.weight", (hidden, 3, PATCH, PATCH)
    yield "v.position_embd.weight", (patches + (not tower.siglip), hidden)
    linears = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_out"), (hidden, hidden))
    linears |= {"ffn_up": (tower.ff, hidden), "ffn_down": (hidden, tower.ff)}
    norms = [f"v.blk.{n}.ln{i}" for n in range(tower.layers) for i in (1, 2)]
    if tower.siglip:
        yield "v.patch_embd.bias", (hidden,)
    else:
        yield "v.class_embd", (hidden,)
        norms.insert(0, "v.pre_ln")
    for name in norms:
        yield f"{name}.weight", (hidden,)
        yield f"{name}.bias", (hidden,)
    for n in range(tower.layers):
        for name, shape in linears.items():
            yield f"v.blk.{n}.{name}.weight", shape
            yield f"v.blk.{n}.{name}.bias", shape[:1]
    for name, shape in {"mm.0": (HIDDEN, hidden), "mm.2": (HIDDEN, HIDDEN)}.items():
        yield f"{name}.weight", shape
        yield f"{name}.bias", shape[:1]


def text_writer(path: Path, words: bool = False) -> gguf.GGUFWriter:
    w = gguf.GGUFWriter(path, "llama")
    w.add_context_length(CONTEXT)
    w.add_embedding_length(HIDDEN)
    w.add_block_count(LAYERS)
    w.add_feed_forward_length(FF)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KV_HEADS)
    w.add_rope_dimension_count(HIDDEN // HEADS)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_vocab_size(VOCAB)
    if words:
        add_words(w)
    else:
        w.add_tokenizer_model("no_vocab")
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    return w


def add_words(w: gguf.GGUFWriter) -> None:
    """The words of full_shape.py: bytes, three special ones, and fillers."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        letters.setdefault(byte, chr(256 + len(letters) - len(printable)))  # GPT-2's alphabet of bytes
    words = ["<unk>", "<s>", "</s>", *sorted(letters.values())]
    words += [f"Ġfiller{index}" for index in range(len(words), VOCAB)]
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list(words)
    w.add_token_types([gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL] * (VOCAB - 3))
    w.add_token_merges(["Ġ f"])  # none that an English question has, but none at all is refused
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_chat_template("{% for m in messages %}{{ m.role | upper }}: {{ m.content }} {% endfor %}ASSISTANT:")


def vision_writer(path: Path, tower: Tower) -> gguf.GGUFWriter:
    w = gguf.GGUFWriter(path, "clip")
    w.add_bool("clip.has_vision_encoder", True)
    w.add_clip_projector_type("mlp")
    w.add_bool("clip.use_gelu", tower.siglip)  # else CLIP's quick GELU
    w.add_vision_image_size(tower.image)
    w.add_vision_patch_size(PATCH)
    w.add_vision_embedding_length(tower.hidden)
    w.add_vision_feed_forward_length(tower.ff)
    w.add_vision_projection_dim(HIDDEN)
    w.add_vision_block_count(tower.layers)
    w.add_vision_head_count(16)
    w.add_vision_attention_layernorm_eps(1e-6 if tower.siglip else 1e-5)
    w.add_vision_image_mean(tower.mean)
    w.add_vision_image_std(tower.std)
    return w


def stored_as(name: str, shape: tuple[int, ...], linears: gguf.GGMLQuantizationType) -> gguf.GGMLQuantizationType:
    if len(shape) == 1 or "position_embd" in name:
        return gguf.GGMLQuantizationType.F32
    return gguf.GGMLQuantizationType.F16 if "patch_embd" in name else linears


def write(w: gguf.GGUFWriter, shapes: Shapes, linears: gguf.GGMLQuantizationType, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    for name, shape in shapes:
        value = rng.standard_normal(shape, dtype=np.float32) * np.float32(0.02)
        if len(shape) == 1 and name.endswith(".weight"):
            value += 1  # a norm's gain
        kind = stored_as(name, shape, linears)
        w.add_tensor(name, gguf.quants.quantize(value, kind), raw_dtype=kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def report(path: Path, start: float, **more: float) -> None:
    seconds = round(time.perf_counter() - start, 2)
    print(json.dumps({"file": str(path), "bytes": path.stat().st_size, "seconds": seconds, **more}), flush=True)


def quantize(source: Path, target: Path, ftype: int, threads: int) -> None:
    """llama.cpp's own quantizer with its defaults (Q4_0 keeps output.weight as Q6_K)."""
    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.nthread = ftype, threads
    start = time.perf_counter()
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), params):
        raise RuntimeError(f"llama.cpp could not quantize {source}")
    report(target, start, gb_per_s=round(source.stat().st_size / (time.perf_counter() - start) / 1e9, 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--what", nargs="+", choices=["text", "vision", "server"], default=["text", "vision"])
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if "text" in args.what:
        source, start = args.out / "tinyllama-f16.gguf", time.perf_counter()
        write(text_writer(source), text_shapes(), gguf.GGMLQuantizationType.F16)
        report(source, start)
        quantize(source, args.out / "tinyllama-q4_0.gguf", gguf.LlamaFileType.MOSTLY_Q4_0, args.threads)
        quantize(source, args.out / "tinyllama-q8_0.gguf", gguf.LlamaFileType.MOSTLY_Q8_0, args.threads)
    if "vision" in args.what:
        for kind in (gguf.GGMLQuantizationType.F16, gguf.GGMLQuantizationType.Q8_0):
            target, start = args.out / f"clip-l-336-{kind.name.lower()}.gguf", time.perf_counter()
            write(vision_writer(target, CLIP), vision_shapes(CLIP), kind)
            report(target, start)
    if "server" in args.what:
        text, tower, start = args.out / "tinyllava-f16.gguf", args.out / "siglip-384-f16.gguf", time.perf_counter()
        write(text_writer(text, words=True), text_shapes(), gguf.GGMLQuantizationType.F16)
        write(vision_writer(tower, SIGLIP), vision_shapes(SIGLIP), gguf.GGMLQuantizationType.F16)
        report(text, start)
        report(tower, start)


if __name__ == "__main__":
    main()
