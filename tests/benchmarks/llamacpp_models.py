"""Write random-weight GGUF files of published shapes, for measuring llama.cpp without its checkpoints.

Runs in the environment that holds `llama_cpp` and `gguf`:
    ENV/bin/python llamacpp_models.py OUT_DIR [--what text vision] [--threads 2]
Writes tinyllama-{f16,q4_0,q8_0}.gguf and clip-l-336-{f16,q8_0}.gguf; prints one JSON line for each.
Weights are normal, 0.02 wide: speed does not depend on them, and activations stay finite.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

HIDDEN, LAYERS, HEADS, KV_HEADS, FF, VOCAB, CONTEXT = 2048, 22, 32, 4, 5632, 32000, 2048
V_HIDDEN, V_LAYERS, V_HEADS, V_FF, IMAGE, PATCH = 1024, 24, 16, 4096, 336, 14
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
Shapes = Iterator[tuple[str, tuple[int, ...]]]


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


def vision_shapes() -> Shapes:
    """CLIP ViT-L/14-336 and LLaVA's two-layer projector; llama.cpp itself skips the last layer."""
    yield "v.class_embd", (V_HIDDEN,)
    yield "v.patch_embd.weight", (V_HIDDEN, 3, PATCH, PATCH)
    yield "v.position_embd.weight", ((IMAGE // PATCH) ** 2 + 1, V_HIDDEN)
    linears = {
        "attn_q": (V_HIDDEN, V_HIDDEN),
        "attn_k": (V_HIDDEN, V_HIDDEN),
        "attn_v": (V_HIDDEN, V_HIDDEN),
        "attn_out": (V_HIDDEN, V_HIDDEN),
        "ffn_up": (V_FF, V_HIDDEN),
        "ffn_down": (V_HIDDEN, V_FF),
    }
    norms = ["v.pre_ln"] + [f"v.blk.{n}.ln{i}" for n in range(V_LAYERS) for i in (1, 2)]
    for name in norms:
        yield f"{name}.weight", (V_HIDDEN,)
        yield f"{name}.bias", (V_HIDDEN,)
    for n in range(V_LAYERS):
        for name, shape in linears.items():
            yield f"v.blk.{n}.{name}.weight", shape
            yield f"v.blk.{n}.{name}.bias", shape[:1]
    for name, shape in {"mm.0": (HIDDEN, V_HIDDEN), "mm.2": (HIDDEN, HIDDEN)}.items():
        yield f"{name}.weight", shape
        yield f"{name}.bias", shape[:1]


def text_writer(path: Path) -> gguf.GGUFWriter:
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
    w.add_tokenizer_model("no_vocab")
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    return w


def vision_writer(path: Path) -> gguf.GGUFWriter:
    w = gguf.GGUFWriter(path, "clip")
    w.add_bool("clip.has_vision_encoder", True)
    w.add_clip_projector_type("mlp")
    w.add_bool("clip.use_gelu", False)  # CLIP's quick GELU
    w.add_vision_image_size(IMAGE)
    w.add_vision_patch_size(PATCH)
    w.add_vision_embedding_length(V_HIDDEN)
    w.add_vision_feed_forward_length(V_FF)
    w.add_vision_projection_dim(HIDDEN)
    w.add_vision_block_count(V_LAYERS)
    w.add_vision_head_count(V_HEADS)
    w.add_vision_attention_layernorm_eps(1e-5)
    w.add_vision_image_mean(MEAN)
    w.add_vision_image_std(STD)
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
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.nthread = ftype, threads
    start = time.perf_counter()
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), params):
        raise RuntimeError(f"llama.cpp could not quantize {source}")
    report(target, start, gb_per_s=round(source.stat().st_size / (time.perf_counter() - start) / 1e9, 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--what", nargs="+", choices=["text", "vision"], default=["text", "vision"])
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if "text" in args.what:
        source, start = args.out / "tinyllama-f16.gguf", time.perf_counter()
        write(text_writer(source), text_shapes(), gguf.GGMLQuantizationType.F16)
        report(source, start)
        quantize(source, args.out / "tinyllama-q4_0.gguf", llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0, args.threads)
        quantize(source, args.out / "tinyllama-q8_0.gguf", llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, args.threads)
    if "vision" in args.what:
        for kind in (gguf.GGMLQuantizationType.F16, gguf.GGMLQuantizationType.Q8_0):
            target, start = args.out / f"clip-l-336-{kind.name.lower()}.gguf", time.perf_counter()
            write(vision_writer(target), vision_shapes(), kind)
            report(target, start)


if __name__ == "__main__":
    main()
