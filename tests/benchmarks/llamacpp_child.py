"""A llama.cpp that measures one round for each line on stdin, so that rounds can alternate with another program's.

Runs in the environment that holds `llama_cpp`:
    ENV/bin/python llamacpp_child.py text MODEL.gguf [--threads 2] [--context 512] [--tokens 128] [--rows 8]
    ENV/bin/python llamacpp_child.py vision MMPROJ.gguf [--threads 2]
It first prints {"ready": true, "load_s", "rss_mib", "anonymous_mib"}, then for each task named on stdin one line of
JSON: {"task", "count", "seconds", "rate"}. Tasks: prefill, decode, rows | image. `rate` is tokens (images) a second.
"""

import argparse
import ctypes
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import llama_cpp
from llama_cpp import mtmd_cpp

Task = Callable[[], tuple[int, float]]  # what was done, and in how many seconds
SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)
IMAGE = 336


class Text:
    def __init__(self, path: Path, args: argparse.Namespace) -> None:
        llama_cpp.llama_backend_init()
        model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        params = llama_cpp.llama_context_default_params()
        params.n_threads = params.n_threads_batch = args.threads
        params.n_seq_max, params.kv_unified = args.rows, False
        params.n_ctx = args.rows * (-(-(args.context + args.tokens) // 256) * 256)
        self.ctx = model and llama_cpp.llama_init_from_model(model, params)
        if not self.ctx:
            raise RuntimeError(f"llama.cpp could not load {path}")
        self.context, self.tokens, self.rows = args.context, args.tokens, args.rows
        self.memory = llama_cpp.llama_get_memory(self.ctx)
        self.vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
        self.batch = llama_cpp.llama_batch_init(max(args.context, args.rows), 0, 1)
        self.random = random.Random(0)

    def forward(self, cells: list[tuple[int, int]], logits_from: int = 0) -> None:
        """One pass over (position, sequence) cells, ended only when the last row's logits are there."""
        batch = self.batch
        batch.n_tokens = len(cells)
        for i, (position, sequence) in enumerate(cells):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = self.random.randrange(self.vocab), position, 1
            batch.seq_id[i][0], batch.logits[i] = sequence, i >= logits_from
        if llama_cpp.llama_decode(self.ctx, batch):
            raise RuntimeError("llama_decode failed")
        llama_cpp.llama_get_logits_ith(self.ctx, -1)

    def prefill(self) -> tuple[int, float]:
        llama_cpp.llama_memory_seq_rm(self.memory, 0, -1, -1)
        start = time.perf_counter()
        self.forward([(i, 0) for i in range(self.context)], logits_from=self.context - 1)
        return self.context, time.perf_counter() - start

    def decode(self, rows: int, steps: int) -> tuple[int, float]:
        for row in range(rows):
            llama_cpp.llama_memory_seq_rm(self.memory, row, self.context, -1)
        start = time.perf_counter()
        for step in range(steps):
            self.forward([(self.context + step, row) for row in range(rows)])
        return rows * steps, time.perf_counter() - start

    def tasks(self) -> dict[str, Task]:
        self.prefill()
        for row in range(1, self.rows):
            llama_cpp.llama_memory_seq_cp(self.memory, 0, row, -1, -1)
        self.decode(self.rows, 1)
        return {
            "prefill": self.prefill,
            "decode": lambda: self.decode(1, self.tokens),
            "rows": lambda: self.decode(self.rows, self.tokens // 2),
        }


class Vision:
    def __init__(self, path: Path, args: argparse.Namespace) -> None:
        params = mtmd_cpp.mtmd_context_params_default()
        params.use_gpu, params.n_threads = False, args.threads
        self.ctx = mtmd_cpp.mtmd_init_from_file(str(path).encode(), None, params)
        if not self.ctx:
            raise RuntimeError(f"llama.cpp could not load {path}")
        size = IMAGE * IMAGE * 3
        pixels = (ctypes.c_ubyte * size).from_buffer_copy(random.Random(0).randbytes(size))
        part = mtmd_cpp.mtmd_input_part(text=None, bitmap=mtmd_cpp.mtmd_bitmap_init(IMAGE, IMAGE, pixels))
        parts = (ctypes.POINTER(mtmd_cpp.mtmd_input_part) * 1)(ctypes.pointer(part))
        self.chunks = mtmd_cpp.mtmd_input_chunks_init()
        if mtmd_cpp.mtmd_tokenize_from_parts(self.ctx, self.chunks, parts, 1, False):
            raise RuntimeError("llama.cpp could not preprocess the image")

    def image(self) -> tuple[int, float]:
        """The encoder and the projector; reading, resizing and normalizing the image are not counted."""
        start = time.perf_counter()
        if mtmd_cpp.mtmd_encode_chunk(self.ctx, mtmd_cpp.mtmd_input_chunks_get(self.chunks, 0)):
            raise RuntimeError("mtmd_encode_chunk failed")
        return 1, time.perf_counter() - start

    def tasks(self) -> dict[str, Task]:
        self.image()
        return {"image": self.image}


def memory_mib() -> dict[str, float]:
    lines = Path("/proc/self/status").read_text().splitlines()
    kib = {key: int(value.split()[0]) for key, value in (line.split(":", 1) for line in lines) if key.startswith("Rss")}
    return {"rss_mib": sum(kib.values()) // 1024, "anonymous_mib": kib["RssAnon"] // 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["text", "vision"])
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--context", type=int, default=512, help="tokens of prefill, and held when decoding starts")
    parser.add_argument("--tokens", type=int, default=128, help="tokens of a decode round (half of it, in each row)")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--verbose", action="store_true", help="llama.cpp's own log on stderr")
    args = parser.parse_args()
    if not args.verbose:
        llama_cpp.llama_log_set(SILENT, None)
        mtmd_cpp.mtmd_log_set(SILENT, None)
    start = time.perf_counter()
    model = Text(args.model, args) if args.kind == "text" else Vision(args.model, args)
    load_s = time.perf_counter() - start
    tasks = model.tasks()  # after a first pass that is not counted
    print(json.dumps({"ready": True, "load_s": round(load_s, 3), **memory_mib()}), flush=True)
    for name in map(str.strip, sys.stdin):
        if name not in tasks:
            print(json.dumps({"error": f"no task {name!r}; there are {', '.join(tasks)}"}), flush=True)
            continue
        count, seconds = tasks[name]()
        answer = {"task": name, "count": count, "seconds": round(seconds, 4), "rate": round(count / seconds, 3)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
