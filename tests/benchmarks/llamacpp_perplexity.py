"""The loss of a GGUF model on windows of tokens, as llama.cpp computes it: weights and activations in its own kinds.

Runs in the environment that holds `llama_cpp`:
    ENV/bin/python llamacpp_perplexity.py MODEL.gguf WINDOWS.npy [--quantize KIND FROM.gguf] [--threads 2]
WINDOWS.npy holds token ids [windows, length]. With --quantize, llama.cpp first makes MODEL.gguf of FROM.gguf as KIND
(Q8_0, Q4_0, Q4_K_M, …), without an importance matrix. Prints one line of JSON: {"losses": [nats per window]}.
"""

import argparse
import json
from pathlib import Path

import llama_cpp
import numpy as np
import numpy.typing as npt

SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)
F32 = 0  # GGML_TYPE_F32


def quantize(source: Path, target: Path, kind: str, threads: int) -> None:
    """Write ``target`` whole or not at all."""
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.nthread = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}"), threads
    beside = target.with_suffix(".part")
    if llama_cpp.llama_model_quantize(str(source).encode(), str(beside).encode(), params):
        raise RuntimeError(f"llama.cpp could not quantize {source}")
    beside.rename(target)


class Model:
    def __init__(self, path: Path, length: int, threads: int) -> None:
        llama_cpp.llama_backend_init()
        model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        params = llama_cpp.llama_context_default_params()
        params.n_threads = params.n_threads_batch = threads
        params.n_ctx = params.n_batch = params.n_ubatch = length
        params.type_k = params.type_v = F32  # as EdgeKit keeps them on a CPU: weights are what is compared
        self.ctx = model and llama_cpp.llama_init_from_model(model, params)
        if not self.ctx:
            raise RuntimeError(f"llama.cpp could not load {path}")
        self.memory = llama_cpp.llama_get_memory(self.ctx)
        self.vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
        self.batch = llama_cpp.llama_batch_init(length, 0, 1)

    def loss(self, window: npt.NDArray[np.int64]) -> float:
        """Mean negative log likelihood of the window's tokens but the first."""
        batch, count = self.batch, len(window)
        llama_cpp.llama_memory_clear(self.memory, True)
        batch.n_tokens = count
        for i, token in enumerate(window):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = int(token), i, 1
            batch.seq_id[i][0], batch.logits[i] = 0, True
        if llama_cpp.llama_decode(self.ctx, batch):
            raise RuntimeError("llama_decode failed")
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits(self.ctx), (count, self.vocab))[:-1]
        values = logits.astype(np.float64)
        highest = values.max(axis=1)
        total = highest + np.log(np.exp(values - highest[:, None]).sum(axis=1))
        return float((total - values[np.arange(count - 1), window[1:]]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("windows", type=Path)
    parser.add_argument("--quantize", nargs=2, metavar=("KIND", "FROM"))
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    llama_cpp.llama_log_set(SILENT, None)
    if args.quantize and not args.model.exists():
        quantize(Path(args.quantize[1]), args.model, args.quantize[0], args.threads)
    windows = np.load(args.windows)
    model = Model(args.model, windows.shape[1], args.threads)
    print(json.dumps({"losses": [model.loss(window) for window in windows]}), flush=True)


if __name__ == "__main__":
    main()
