"""The embedded model as transformers runs it: its own model, tokenizer, template and greedy decoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerFast

from edgekit.checkpoint.packed import Array
from edgekit.phantom import Asked, draw
from edgekit.phantom.embedded import embedded


@dataclass(frozen=True)
class Forced:
    """The first tokens of an answer, the logits ``[1 + tokens, vocab]`` before and behind each, and the picture's rows
    ``[image tokens, hidden]``."""

    tokens: list[int]
    logits: Array
    image: Array


class Oracle:
    """Reads the files as they are shipped, in float32."""

    def __init__(self) -> None:
        self._net: Any = LlavaForConditionalGeneration.from_pretrained(embedded(), dtype=torch.float32).eval()
        self._words: Any = PreTrainedTokenizerFast.from_pretrained(embedded())

    def answer(self, asked: Asked) -> str:
        feeds = self._feeds(asked)
        out = self._net.generate(**feeds, max_new_tokens=48, do_sample=False)
        text: str = self._words.decode(out[0, feeds["input_ids"].shape[1] :], skip_special_tokens=True)
        return text

    def forced(self, asked: Asked, count: int) -> Forced:
        """The answer's first ``count`` tokens, whether or not it ends before."""
        feeds = self._feeds(asked)
        out = self._net.generate(**feeds, min_new_tokens=count, max_new_tokens=count, do_sample=False)
        tokens: list[int] = out[0, feeds["input_ids"].shape[1] :].tolist()
        with torch.no_grad():
            whole = {**feeds, "input_ids": out, "attention_mask": torch.ones_like(out)}
            logits = self._net(**whole).logits[0, -1 - count :]
            image = self._net.model.get_image_features(feeds["pixel_values"], return_dict=True).pooler_output[0]
        return Forced(tokens, logits.numpy(), image.numpy())

    def _feeds(self, asked: Asked) -> dict[str, Any]:
        content = f"{self._words.image_token * self._net.config.image_seq_length}\n{asked.question.text}"
        ids = self._words.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, return_tensors="pt", return_dict=False
        )
        picture = draw(asked.scene).resize((112, 112), Image.Resampling.BICUBIC)
        pixels = torch.from_numpy(np.asarray(picture, np.float32) / 127.5 - 1).expand(1, 3, -1, -1)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values": pixels}
