"""inspect counts what torch counts, and the command shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.checkpoint.inspect import inspect
from edgekit.checkpoint.open import open_checkpoint
from edgekit.cli.main import main
from tests.checkpoints import DecoderKind, Tiny, write_checkpoint


def counted(tiny: Tiny) -> dict[str, int]:
    """The oracle's parameters of each part, without the tower's unused end."""
    model = tiny.model.model
    tower = sum(p.numel() for n, p in model.vision_tower.named_parameters() if not n.startswith(UNUSED))
    embedding = model.language_model.embed_tokens.weight.numel()
    return {
        "vision": tower,
        "projector": sum(p.numel() for p in model.multi_modal_projector.parameters()),
        "embedding": embedding,
        "decoder": sum(p.numel() for p in model.language_model.parameters()) - embedding,
        "lm_head": sum(p.numel() for p in tiny.model.lm_head.parameters()),
    }


UNUSED = ("encoder.layers.2.", "post_layernorm.", "head.")


@pytest.mark.parametrize(("decoder", "stored"), [("llama", "float32"), ("phi", "bfloat16")])
def test_every_part_is_counted(tmp_path: Path, decoder: DecoderKind, stored: str) -> None:
    tiny = write_checkpoint(tmp_path, "llava", decoder, "siglip", dtype=stored)
    inspection = inspect(open_checkpoint(tmp_path))
    assert {part.name: part.parameters for part in inspection.parts} == counted(tiny)
    width = {"float32": 4, "bfloat16": 2}[stored]
    assert all(part.bytes == width * part.parameters and part.dtypes == (stored,) for part in inspection.parts)
    assert inspection.parameters == sum(part.parameters for part in inspection.parts)


def test_a_tied_head_counts_once(tmp_path: Path) -> None:
    tiny = write_checkpoint(tmp_path, "hf-5", text={"tie_word_embeddings": True})
    parts = {part.name: part for part in inspect(open_checkpoint(tmp_path)).parts}
    assert parts["lm_head"].parameters == 0
    assert "tied" in parts["lm_head"].kind
    assert parts["embedding"].parameters == counted(tiny)["embedding"]


def test_the_command_shows_the_notice_and_the_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "llava-med-tiny"
    write_checkpoint(path, "llava", "mistral")
    (path / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    assert main(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    for text in (
        "llava-med",
        "apache-2.0",
        "clinical use",
        "16 of them per image",
        "[INST] <image>",
        "6:2 heads of 48",
    ):
        assert text in shown, text
    assert main(["inspect", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["parameters"] == inspect(open_checkpoint(path)).parameters
    assert document["intended_use"].startswith("For research only")


def test_the_command_refuses_a_pickle_with_the_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoint(tmp_path, "llava")
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    assert main(["inspect", str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert "pickle" in shown.err
    assert "save_pretrained" in shown.err
    assert not shown.out
