"""Checkpoints whose language model's config is changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.checkpoints import DecoderKind, Layout, Tiny, write_checkpoint


def written(path: Path, decoder: DecoderKind = "mistral", layout: Layout = "hf-5", **text: Any) -> Tiny:
    """A checkpoint whose language model's config is changed; ... removes a key."""
    tiny = write_checkpoint(path, layout, decoder)
    config = json.loads((path / "config.json").read_text())
    table = config if layout == "llava" else config["text_config"]
    table |= text
    for key in [key for key, value in text.items() if value is ...]:
        del table[key]
    (path / "config.json").write_text(json.dumps(config))
    return tiny
