"""The embedded model: a small LLaVA that was trained on phantoms, shipped with EdgeKit."""

from __future__ import annotations

from pathlib import Path

NOTICE = "The pictures are synthetic phantoms, and this is no medical device: nothing that it says is about a patient."


def embedded() -> Path:
    """Return the checkpoint's folder, in Hugging Face's LLaVA layout; its README says how it was trained."""
    return Path(__file__).parent / "llava-phantom"
