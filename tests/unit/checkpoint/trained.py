"""SentencePiece models, trained in a moment on a few sentences."""

from __future__ import annotations

import io
from typing import Any

import sentencepiece

CORPUS = [
    "Is there a pleural effusion in the left lung? No, the lung is clear.",
    "The heart is enlarged; the aorta is normal. The heart size is 12.5 cm.",
    "Which modality is this image? A chest radiograph, frontal view.",
    "a aa aaa aaaa aaaaa lung lungs lungfish heart hearts hearty",
]


def train(**options: Any) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 4),
        model_writer=model,
        model_type="bpe",
        vocab_size=380,
        byte_fallback=True,
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
        **{"normalization_rule_name": "identity", "remove_extra_whitespaces": False, **options},
    )
    return model.getvalue()
